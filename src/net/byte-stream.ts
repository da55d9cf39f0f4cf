/**
 * A connection as protocols see it: octets in both directions, each step with a time limit. For those who speak as
 * clients; whoever made the connection (`connect.ts`, a program's pipes, TLS later) makes the stream.
 *
 * It promises that memory stays bounded: the other side is not read faster than its octets are wanted, and a writer
 * waits while the other side does not take what was sent.
 */

import { Duplex, type Readable, type Writable } from 'node:stream';
import { errorNumber, errorText } from '../lib/errno.ts';
import type { Eventual } from '../lib/eventual.ts';
import { type ClientTls, startTls, type TlsFacts, type TlsOutcome } from './tls.ts';

/** Why nothing more can be read or written. */
export type StreamFailure =
  /** The other side ended the connection, or broke it off. */
  | { readonly outcome: 'closed' }
  | { readonly outcome: 'timeout' }
  /** The system's error, with its number on this machine. */
  | { readonly outcome: 'broken'; readonly code: number; readonly text: string };

export type ReadResult = { readonly outcome: 'octets'; readonly octets: Buffer } | StreamFailure;
export type WriteResult = { readonly outcome: 'written' } | StreamFailure;

export type SecuredStream =
  | { readonly outcome: 'started'; readonly stream: ByteStream; readonly facts: TlsFacts }
  | (TlsOutcome & { readonly outcome: 'failed' });

export interface ByteStream {
  /** Octets that came and were not read yet; `read` answers these without waiting. */
  readonly unread: number;
  /** The octets that come next, at least one. `timeout` is in milliseconds. */
  read(timeout: number): Eventual<ReadResult>;
  /**
   * Sends octets, or a byte string. Answers when the system took them, which is long before the other side has; what
   * was given must not be changed afterwards. `timeout` is in milliseconds.
   */
  write(data: Uint8Array | string, timeout: number): Eventual<WriteResult>;
  /**
   * Goes on over TLS, on another stream; this one is used up. What came in and was not read is dropped: it was not
   * protected (RFC 3207 §5). When it fails, the connection is closed.
   */
  startTls(settings: ClientTls): Promise<SecuredStream>;
  /** Takes octets back that were read too far; they come again with the next `read`. */
  putBack(octets: Buffer): void;
  /** Says that nothing more will be sent; what comes can still be read. */
  endOutput(): void;
  /** Ends the connection at once. */
  close(): void;
  /**
   * Says that nothing more will be sent, and closes when the other side has ended, too, or after `timeout`
   * milliseconds. Nobody waits for it: it does not even keep the process running.
   */
  finish(timeout: number): void;
}

const closed: StreamFailure = { outcome: 'closed' };
const timedOut: StreamFailure = { outcome: 'timeout' };
const written: WriteResult = { outcome: 'written' };

/** Octets that may wait to be read before the other side is stopped. */
const readAhead = 64 * 1024;

/** The longest time that timers know; beyond it they would not wait at all. */
const longest = 2 ** 31 - 1;

const bounded = (milliseconds: number): number => Math.min(milliseconds, longest);

/** Errors that say no more than that the other side went away. */
const departures: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_DESTROYED']);

function failureOf(error: NodeJS.ErrnoException): StreamFailure {
  if (departures.has(error.code)) return closed;
  if (error.code === 'ETIMEDOUT') return timedOut;
  return { outcome: 'broken', code: errorNumber(error), text: errorText(error) };
}

/** One who waits, until the event or the end of his patience. */
interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly timer: NodeJS.Timeout;
}

/** What a socket has, and a pipe may lack. */
interface Unreferable {
  unref?(): unknown;
}

/** A stream over Node's: a socket is both halves, the pipes of a program are one each. */
export class NodeByteStream implements ByteStream {
  readonly #input: Readable & Unreferable;
  readonly #output: Writable & Unreferable;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** Nothing more will come. */
  #ended: StreamFailure | undefined;
  /** Nothing more can be sent. */
  #broken: StreamFailure | undefined;
  #reader: Waiter<ReadResult> | undefined;
  #writer: Waiter<WriteResult> | undefined;

  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => this.#endInput(closed);
  readonly #onError = (error: NodeJS.ErrnoException): void => this.#break(error);
  readonly #onDrain = (): void => this.#settleWriter(written);
  readonly #onClosed = (): void => this.#breakOutput(closed);

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    input.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onEnd);
    output.on('drain', this.#onDrain).on('error', this.#onError).on('close', this.#onClosed);
  }

  get unread(): number {
    return this.#size;
  }

  read(timeout: number): Eventual<ReadResult> {
    const octets = this.#chunks.shift();
    if (octets !== undefined) {
      this.#size -= octets.length;
      if (this.#size < readAhead && this.#input.isPaused()) this.#input.resume();
      return { outcome: 'octets', octets };
    }
    if (this.#ended !== undefined) return this.#ended;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settleReader(timedOut), bounded(timeout));
      this.#reader = { resolve, timer };
    });
  }

  putBack(octets: Buffer): void {
    this.#chunks.unshift(octets);
    this.#size += octets.length;
  }

  write(data: Uint8Array | string, timeout: number): Eventual<WriteResult> {
    if (this.#broken !== undefined) return this.#broken;
    const taken = typeof data === 'string' ? this.#output.write(data, 'latin1') : this.#output.write(data);
    if (taken) return this.#broken ?? written;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settleWriter(timedOut), bounded(timeout));
      this.#writer = { resolve, timer };
    });
  }

  async startTls(settings: ClientTls): Promise<SecuredStream> {
    const [input, output] = [this.#input, this.#output];
    input.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onEnd);
    output.off('drain', this.#onDrain).off('error', this.#onError).off('close', this.#onClosed);
    const raw = input instanceof Duplex ? input : Duplex.from({ readable: input, writable: output });
    raw.on('error', () => undefined);
    const secured = await startTls(raw, settings);
    this.#ended = closed;
    this.#broken = closed;
    if (secured.outcome === 'failed') {
      raw.destroy();
      return secured;
    }
    const { socket, facts } = secured;
    return { outcome: 'started', stream: new NodeByteStream(socket, socket), facts };
  }

  close(): void {
    this.#input.destroy();
    this.#output.destroy();
    this.#endInput(closed);
    this.#breakOutput(closed);
  }

  endOutput(): void {
    if (this.#broken === undefined) this.#output.end();
  }

  finish(timeout: number): void {
    if (this.#broken !== undefined) {
      this.close();
      return;
    }
    this.#input.unref?.();
    this.#output.unref?.();
    const timer = setTimeout(() => this.close(), bounded(timeout));
    timer.unref();
    this.#output.once('close', () => clearTimeout(timer));
    this.#output.end();
    if (this.#ended !== undefined) {
      this.#output.once('finish', () => this.close());
      return;
    }
    this.#input.removeAllListeners('data');
    this.#input.once('end', () => this.close());
    this.#input.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#reader !== undefined) {
      this.#settleReader({ outcome: 'octets', octets: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= readAhead) this.#input.pause();
  }

  #break(error: NodeJS.ErrnoException): void {
    const failure = failureOf(error);
    this.#endInput(failure);
    this.#breakOutput(failure);
  }

  #endInput(failure: StreamFailure): void {
    this.#ended ??= failure;
    this.#settleReader(this.#ended);
  }

  #breakOutput(failure: StreamFailure): void {
    this.#broken ??= failure;
    this.#settleWriter(this.#broken);
  }

  #settleReader(result: ReadResult): void {
    const waiter = this.#reader;
    if (waiter === undefined) return;
    this.#reader = undefined;
    clearTimeout(waiter.timer);
    waiter.resolve(result);
  }

  #settleWriter(result: WriteResult): void {
    const waiter = this.#writer;
    if (waiter === undefined) return;
    this.#writer = undefined;
    clearTimeout(waiter.timer);
    waiter.resolve(result);
  }
}
