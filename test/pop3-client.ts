/** A POP3 client for tests of the whole server: it says exactly what it is told to say, right or wrong. */

import { connect, type Socket } from 'node:net';

export class Pop3Client {
  readonly socket: Socket;
  /** What the server said first. */
  greeting = '';
  #input = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => this.#wake?.();
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.#input += text;
      wake();
    });
    const end = (): void => {
      this.#ended = true;
      wake();
    };
    socket.on('end', end).on('close', end).on('error', end);
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

  async #until(pattern: RegExp, seconds = 30): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#input);
      if (found !== null) {
        this.#input = this.#input.slice(found[0].length);
        return found[0];
      }
      if (this.#ended)
        throw new Error(`the server has closed; it said last: ${JSON.stringify(this.#input.slice(-200))}`);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer in ${seconds} s`)), seconds * 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async line(): Promise<string> {
    return (await this.#until(/^[^\n]*\n/)).replace(/\r\n$/, '');
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
    const text = await this.#until(/^(?:\.\r\n|[\s\S]*?\r\n\.\r\n)/);
    return text.slice(0, -3).replace(/^\./gm, '');
  }

  /** Waits until the server closes. */
  async closed(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async quit(): Promise<string> {
    const answer = await this.say('QUIT');
    this.socket.end();
    return answer;
  }
}
