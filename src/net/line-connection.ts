/**
 * A connection over which lines are spoken: a socket, or standard input and output. Lines and blocks are read with
 * limits and timeouts, answers are collected and sent together. SMTP, POP3 and ManageSieve stand on it.
 */

import { Duplex, type Readable, type Writable } from 'node:stream';
import * as clock from '../lib/clock.ts';
import { passed } from '../safe/memory.ts';
import { acceptTls, type ServerTls, type TlsOutcome } from './tls.ts';

export type LineRead =
  | { readonly kind: 'line'; readonly text: string; readonly crlf: boolean }
  /** It was longer than allowed; all of it was read and dropped. */
  | { readonly kind: 'too long' }
  /** The other side has closed. */
  | { readonly kind: 'end' }
  | { readonly kind: 'timeout' };

const lf = 0x0a;
const cr = 0x0d;
/** Octets that may wait to be read before the other side is told to wait. */
const highWater = 64 * 1024;
/** Milliseconds that the other side has to take the last answer and to close its side, too. */
const lingering = 5000;

export class LineConnection {
  #input: Readable;
  #output: Writable;
  #waiting: Buffer = Buffer.alloc(0);
  #at = 0;
  #ended = false;
  #failed = false;
  #wake: (() => void) | undefined;
  #answers = '';
  #closing = false;
  /** The rest of a line that was too long. */
  #skipping = false;

  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => this.#end();
  readonly #onError = (): void => this.#fail();

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    this.#listen();
  }

  #listen(): void {
    this.#input.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError);
    if (!Object.is(this.#input, this.#output)) this.#output.on('error', this.#onError);
  }

  /**
   * Sends the answers so far and goes on over TLS. What came in before is dropped: it was not protected, and must not
   * pass for something that was (RFC 3207 §5). When it fails, the connection can only be closed.
   */
  async startTls(settings: ServerTls): Promise<TlsOutcome> {
    await this.flush(settings.timeout);
    const raw: Duplex = Object.is(this.#input, this.#output)
      ? (this.#input as Duplex)
      : Duplex.from({ readable: this.#input, writable: this.#output });
    this.#input.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).off('error', this.#onError);
    raw.on('error', this.#onError);
    this.#waiting = Buffer.alloc(0);
    this.#at = 0;
    const outcome = await acceptTls(raw, settings);
    if (outcome.outcome === 'failed') {
      this.#fail();
      return outcome;
    }
    this.#input = outcome.socket;
    this.#output = outcome.socket;
    this.#listen();
    return outcome;
  }

  #take(chunk: Buffer): void {
    if (this.#closing) {
      passed(chunk.length);
      return;
    }
    const left = this.#waiting.length - this.#at;
    this.#waiting = left === 0 ? chunk : Buffer.concat([this.#waiting.subarray(this.#at), chunk]);
    this.#at = 0;
    if (this.#waiting.length > highWater) this.#input.pause();
    this.#wakeUp();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeUp();
  }

  #fail(): void {
    this.#failed = true;
    this.#end();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** The connection broke off; answers reach nobody. */
  get isBroken(): boolean {
    return this.#failed;
  }

  /** Octets that have come in and were not read yet. */
  get inputWaiting(): number {
    return this.#waiting.length - this.#at;
  }

  /** What has come in and was not read, for a log line. */
  peek(limit: number): string {
    return this.#waiting.toString('latin1', this.#at, this.#at + limit);
  }

  /** Waits for more input; false when there will be none or it takes too long. */
  #more(milliseconds: number): Promise<'input' | 'end' | 'timeout'> {
    if (this.#ended) return Promise.resolve('end');
    this.#input.resume();
    return new Promise((resolve) => {
      const timer = milliseconds > 0 ? setTimeout(() => done('timeout'), milliseconds) : undefined;
      const before = this.inputWaiting;
      const done = (result: 'input' | 'end' | 'timeout'): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(result);
      };
      this.#wake = () => done(this.inputWaiting > before ? 'input' : this.#ended ? 'end' : 'input');
    });
  }

  /** A line that is there already. */
  takeLine(limit: number): LineRead | undefined {
    const end = this.#waiting.indexOf(lf, this.#at);
    if (end < 0) {
      if (this.inputWaiting <= limit) return undefined;
      passed(this.inputWaiting);
      this.#at = this.#waiting.length;
      this.#skipping = true;
      return undefined;
    }
    const start = this.#at;
    this.#at = end + 1;
    if (this.#skipping || end - start > limit) {
      this.#skipping = false;
      return { kind: 'too long' };
    }
    const crlf = end > start && this.#waiting[end - 1] === cr;
    return { kind: 'line', text: this.#waiting.toString('latin1', start, crlf ? end - 1 : end), crlf };
  }

  /**
   * The next line, without its end; answers that wait are sent before. `timeout` in milliseconds, 0 for none: it is for
   * the whole line, so that nobody stays by sending an octet now and then.
   */
  async readLine(limit: number, timeout: number): Promise<LineRead> {
    let until: number | undefined;
    for (;;) {
      const line = this.takeLine(limit);
      if (line !== undefined) return line;
      await this.flush(timeout);
      until ??= clock.elapsed() + timeout;
      const more = await this.#more(timeout > 0 ? Math.max(until - clock.elapsed(), 1) : 0);
      if (more !== 'input') return this.#lastLine(more);
    }
  }

  /** What stands behind the last LF when the input ends. */
  #lastLine(reason: 'end' | 'timeout'): LineRead {
    if (reason === 'timeout') return { kind: 'timeout' };
    return this.takeLine(Number.MAX_SAFE_INTEGER) ?? { kind: 'end' };
  }

  /** Whatever has come in, or comes next. */
  async readBlock(timeout: number): Promise<Buffer | 'end' | 'timeout'> {
    if (this.inputWaiting === 0) {
      await this.flush(timeout);
      const more = await this.#more(timeout);
      if (more !== 'input' && this.inputWaiting === 0) return more === 'timeout' ? 'timeout' : 'end';
    }
    const block = this.#waiting.subarray(this.#at);
    this.#at = this.#waiting.length;
    return block;
  }

  /** Gives octets back that stand behind what was wanted of a block. */
  unread(octets: Buffer): void {
    const left = this.#waiting.subarray(this.#at);
    this.#waiting = left.length === 0 ? octets : Buffer.concat([octets, left]);
    this.#at = 0;
  }

  /** Adds to the answers that are sent at the next `flush`, or when input is waited for. */
  write(text: string): void {
    // nobody takes them any more
    if (!this.#failed) this.#answers += text;
  }

  /** Sends the answers; waits when the other side does not take them. */
  async flush(timeout: number): Promise<void> {
    if (this.#answers === '' || this.#failed) return;
    if (this.#output.destroyed || this.#output.writableEnded) {
      // no event would tell that nothing is sent any more
      this.#fail();
      return;
    }
    const answers = this.#answers;
    this.#answers = '';
    // as text: the system is handed its octets without a copy of our own
    if (this.#output.write(answers, 'latin1')) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#output.off('drain', done).off('close', done).off('error', done);
        resolve();
      };
      const fail = (): void => {
        this.#fail();
        done();
      };
      const timer = timeout > 0 ? setTimeout(fail, timeout) : undefined;
      this.#output.on('drain', done).on('close', done).on('error', done);
    });
  }

  /**
   * Sends what is left, and closes. What the other side still sends is dropped, not left unread: the system would answer
   * that with a reset, which can overtake our last words. A side that does not close is cut off after a while.
   */
  async close(): Promise<void> {
    await this.flush(lingering);
    if (!Object.is(this.#input, this.#output)) {
      this.#input.pause();
      return;
    }
    if (this.#failed) {
      this.#input.destroy();
      return;
    }
    this.#closing = true;
    this.#output.end();
    this.#input.resume();
    const timer = setTimeout(() => this.#input.destroy(), lingering);
    timer.unref();
    this.#input.on('close', () => clearTimeout(timer));
  }

  /** Closes without sending anything. */
  destroy(): void {
    this.#fail();
    this.#input.destroy();
    this.#output.destroy();
  }
}
