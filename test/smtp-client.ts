/** An SMTP client for tests of the whole server: it says exactly what it is told to say, right or wrong. */

import { connect, type Socket } from 'node:net';
import { Heard } from './heard.ts';

export class SmtpClient {
  readonly socket: Socket;
  readonly #heard: Heard;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#heard = new Heard(socket);
  }

  /** Connects, without waiting for the greeting. */
  static open(port: number): Promise<SmtpClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject).once('connect', () => {
        socket.off('error', reject);
        resolve(new SmtpClient(socket));
      });
    });
  }

  /** Speaks over a connection that is there. */
  static over(socket: Socket): SmtpClient {
    return new SmtpClient(socket);
  }

  /** Connects and says EHLO. */
  static async greet(port: number): Promise<SmtpClient> {
    const client = await SmtpClient.open(port);
    await client.expect(220);
    await client.say('EHLO client.example', 250);
    return client;
  }

  /** Whether the server has closed, and nothing is left to be read. */
  get isClosed(): boolean {
    return this.#heard.isClosed;
  }

  /** The next answer, all its lines. @throws Closed */
  answer(seconds?: number): Promise<string> {
    return this.#heard.next(/^(?:\d\d\d-[^\n]*\n)*\d\d\d(?: [^\n]*)?\n/, seconds);
  }

  /** An answer with this code. */
  async expect(code: number): Promise<string> {
    const answer = await this.answer();
    if (!answer.startsWith(String(code))) throw new Error(`expected ${code}, but the server said ${answer}`);
    return answer;
  }

  /** Sends a line and awaits the answer; with a code, it must be that. */
  async say(line: string, code?: number): Promise<string> {
    await this.send(`${line}\r\n`);
    return code === undefined ? this.answer() : this.expect(code);
  }

  /** Sends octets as they are; waits while the server takes no more. */
  send(octets: string | Uint8Array): Promise<void> {
    const data = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets;
    return new Promise((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.write(data, () => resolve());
    });
  }

  /** Sends one message; `text` has LF at the end of its lines and is encoded here. Answers what the server said to it. */
  async message(sender: string, recipients: readonly string[], text: string): Promise<string> {
    await this.say(`MAIL FROM:<${sender}>`, 250);
    for (const recipient of recipients) await this.say(`RCPT TO:<${recipient}>`, 250);
    await this.say('DATA', 354);
    await this.send(encoded(text));
    return this.answer();
  }

  async quit(): Promise<void> {
    await this.say('QUIT', 221);
    this.socket.end();
  }

  /** Breaks the connection off. */
  break(): void {
    this.socket.destroy();
  }

  /** Waits until the server closes, and answers what it said until then. */
  rest(seconds?: number): Promise<string> {
    return this.#heard.rest(seconds);
  }
}

/** A message as SMTP sends it, with the dot at its end. */
export function encoded(text: string): string {
  return `${text.replaceAll('\n.', '\n..').replaceAll('\n', '\r\n')}.\r\n`;
}
