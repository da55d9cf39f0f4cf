/** A POP3 client for tests of the whole server: it says exactly what it is told to say, right or wrong. */

import { connect, type Socket } from 'node:net';
import { Heard } from './heard.ts';

export class Pop3Client {
  readonly socket: Socket;
  /** What the server said first. */
  greeting = '';
  readonly #heard: Heard;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#heard = new Heard(socket);
  }

  /** Connects and waits for the greeting; `from` is the address the server sees. */
  static async open(port: number, from = '127.0.0.1'): Promise<Pop3Client> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const made = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true }, () => resolve(made));
      made.once('error', reject);
    });
    const client = new Pop3Client(socket);
    client.greeting = await client.line();
    return client;
  }

  static async logIn(port: number, user: string, password = 'secret'): Promise<Pop3Client> {
    const client = await Pop3Client.open(port);
    await client.ok(`USER ${user}`);
    await client.ok(`PASS ${password}`);
    return client;
  }

  async line(): Promise<string> {
    return (await this.#heard.next(/^[^\n]*\n/)).replace(/\r\n$/, '');
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  /** Sends a command and answers the first line that is said to it. */
  say(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return this.line();
  }

  /** The same; it must be agreed to. */
  async ok(command: string): Promise<string> {
    const answer = await this.say(command);
    if (!answer.startsWith('+OK ')) throw new Error(`"${command}" was answered ${answer}`);
    return answer.slice('+OK '.length);
  }

  /** The lines of a long answer, without its first and its last, dots as they were meant. */
  async lines(command: string): Promise<string> {
    await this.ok(command);
    const text = await this.#heard.next(/^(?:\.\r\n|[\s\S]*?\r\n\.\r\n)/);
    return text.slice(0, -3).replace(/^\./gm, '');
  }

  /** Waits until the server closes. */
  async closed(): Promise<void> {
    await this.#heard.rest();
  }

  async quit(): Promise<string> {
    const answer = await this.say('QUIT');
    this.socket.end();
    return answer;
  }
}
