/** A program that is talked to over its standard input and output, as the protocols see connections. */

import type { RunningProgram } from '../safe/spawn.ts';
import type { ByteStream, ReadResult, SecuredStream, WriteResult } from './byte-stream.ts';

/** Octets that may wait to be read before the program is stopped. */
const readAhead = 64 * 1024;

const longest = 2 ** 31 - 1;
const closed = { outcome: 'closed' } as const;
const timedOut = { outcome: 'timeout' } as const;

/** What `work` comes to, unless it takes too long. */
function within<T>(work: Promise<T>, milliseconds: number): Promise<T | typeof timedOut> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(timedOut), Math.min(milliseconds, longest));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export class ProgramStream implements ByteStream {
  readonly #program: RunningProgram;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #ended = false;
  /** Called when something has come, or the end. */
  #arrived: (() => void) | undefined;
  /** Called when something was read. */
  #wanted: (() => void) | undefined;
  #farewell: NodeJS.Timeout | undefined;

  constructor(program: RunningProgram) {
    this.#program = program;
    void this.#receive();
  }

  get unread(): number {
    return this.#size;
  }

  async #receive(): Promise<void> {
    try {
      for await (const chunk of this.#program.output) {
        this.#chunks.push(chunk);
        this.#size += chunk.length;
        this.#arrived?.();
        while (this.#size >= readAhead) {
          await new Promise<void>((resolve) => {
            this.#wanted = resolve;
          });
        }
      }
    } catch {
      // it could not be started, or it was ended: there is nothing more to come
    }
    this.#ended = true;
    clearTimeout(this.#farewell);
    this.#arrived?.();
  }

  putBack(octets: Buffer): void {
    this.#chunks.unshift(octets);
    this.#size += octets.length;
  }

  async read(timeout: number): Promise<ReadResult> {
    if (this.#chunks.length === 0 && !this.#ended) {
      const arrival = new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
      if ((await within(arrival, timeout)) === timedOut) return timedOut;
    }
    const octets = this.#chunks.shift();
    if (octets === undefined) return closed;
    this.#size -= octets.length;
    this.#wanted?.();
    return { outcome: 'octets', octets };
  }

  async write(data: Uint8Array | string, timeout: number): Promise<WriteResult> {
    const octets = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
    const work = this.#program.write(octets).then(
      () => ({ outcome: 'written' }) as const,
      () => closed,
    );
    return within<WriteResult>(work, timeout);
  }

  async startTls(): Promise<SecuredStream> {
    return { outcome: 'failed', text: 'a program is not spoken to over TLS' };
  }

  endOutput(): void {
    this.#program.end();
  }

  close(): void {
    this.#program.kill();
  }

  finish(timeout: number): void {
    this.#program.end();
    this.#program.waitFor(false);
    if (this.#ended) return;
    this.#farewell = setTimeout(() => this.#program.kill(), Math.min(timeout, longest));
    this.#farewell.unref();
  }
}
