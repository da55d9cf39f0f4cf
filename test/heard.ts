/** What a server says over a connection, for clients in tests: they wait for what they expect, and for the end. */

import type { Socket } from 'node:net';

/** The connection ended before what was awaited had come. */
export class Closed extends Error {}

export class Heard {
  readonly #socket: Socket;
  #input = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
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

  /** Whether the server has closed, and nothing is left to be read. */
  get isClosed(): boolean {
    return this.#ended && this.#input === '';
  }

  /** What `pattern`, which begins with `^`, matches next. @throws Closed */
  async next(pattern: RegExp, seconds = 30): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#input);
      if (found !== null) {
        this.#input = this.#input.slice(found[0].length);
        return found[0];
      }
      if (this.#ended) {
        throw new Closed(`the server has closed; it said last: ${JSON.stringify(this.#input.slice(-200))}`);
      }
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer in ${seconds} s`)), seconds * 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Waits until the server closes, and answers what it said until then. */
  async rest(seconds = 30): Promise<string> {
    const timer = setTimeout(() => this.#socket.destroy(new Error('not closed')), seconds * 1000);
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
    const said = this.#input;
    this.#input = '';
    return said;
  }
}
