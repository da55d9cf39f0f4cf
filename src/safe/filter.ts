/** A program that a stream of octets runs through: written to its standard input, read from its standard output and error. */

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import type { Argument } from './spawn.ts';
import type { Clean } from './taint.ts';

export interface FilterRules {
  readonly program: Clean;
  readonly args: readonly Argument[];
  readonly directory: Clean;
  /** Milliseconds that its next output may take; 0 for no limit. */
  readonly timeout: number;
}

export type FilterEnd =
  /** A program that cannot be run ends with status 127, one that a signal ended with 128 and the signal's number. */
  | { readonly outcome: 'exited'; readonly status: number }
  | { readonly outcome: 'timeout' }
  /** What it was to be given could not be read. */
  | { readonly outcome: 'broken'; readonly error: unknown };

export interface Filter {
  /** The next octets of its output; behind them how it ended. */
  read(): Promise<Buffer | FilterEnd>;
  /** Ends it if it still runs. */
  close(): void;
}

const notRun = 127;
const bySignal = 128;

/** Starts the program; `next` gives what it is to read, piece by piece, and nothing at the end. */
export function openFilter(rules: FilterRules, next: () => Promise<Buffer | undefined>): Filter {
  const { program, args, directory, timeout } = rules;
  if (!program.startsWith('/')) return ended({ outcome: 'exited', status: notRun });
  let child: ChildProcess;
  try {
    // the shell only joins standard error to standard output (Exim spec 24) and becomes the program; it interprets nothing
    child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', program, ...args], {
      cwd: directory,
      env: {},
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  } catch {
    return ended({ outcome: 'exited', status: notRun });
  }
  return new RunningFilter(child, timeout, next);
}

function ended(end: FilterEnd): Filter {
  return { read: async () => end, close: () => undefined };
}

class RunningFilter implements Filter {
  readonly #child: ChildProcess;
  readonly #timeout: number;
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #status: Promise<number>;
  /** Node throws away what an ended program has written to a pipe that nobody reads, so reading begins at once. */
  #first: Promise<IteratorResult<Buffer>> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(child: ChildProcess, timeout: number, next: () => Promise<Buffer | undefined>) {
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error('a filter without its pipes');
    this.#child = child;
    this.#timeout = timeout;
    this.#status = new Promise((resolve) => {
      child.on('error', () => resolve(notRun));
      child.on('close', (status, signal) =>
        resolve(status ?? bySignal + (signal === null ? 0 : constants.signals[signal])),
      );
    });
    this.#pieces = stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#first = this.#next();
    void this.#feed(stdin, next);
  }

  /** A filter that does not read to the end is no failure: its status tells. */
  async #feed(stdin: Writable, next: () => Promise<Buffer | undefined>): Promise<void> {
    let wanted = true;
    stdin.on('error', () => {
      wanted = false;
    });
    try {
      for (let piece = await next(); piece !== undefined && wanted; piece = await next()) {
        const octets = piece;
        await new Promise<void>((done) => stdin.write(octets, () => done()));
      }
      stdin.end();
    } catch (error) {
      this.#failure = { error };
      this.close();
    }
  }

  #next(): Promise<IteratorResult<Buffer>> {
    return this.#pieces.next().catch(() => ({ done: true, value: undefined }));
  }

  async read(): Promise<Buffer | FilterEnd> {
    const begun = this.#first ?? this.#next();
    this.#first = undefined;
    const next = await this.#inTime(begun);
    if (next === 'timeout') {
      this.close();
      return { outcome: 'timeout' };
    }
    if (next.done !== true && next.value !== undefined) return next.value;
    const status = await this.#inTime(this.#status);
    if (this.#failure !== undefined) return { outcome: 'broken', error: this.#failure.error };
    if (status === 'timeout') {
      this.close();
      return { outcome: 'timeout' };
    }
    return { outcome: 'exited', status };
  }

  #inTime<T>(work: Promise<T>): Promise<T | 'timeout'> {
    if (this.#timeout <= 0) return work;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('timeout'), this.#timeout);
      void work.then((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  close(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // it has ended in this moment
    }
  }
}
