/**
 * The one door to other programs. The name must be `Clean`, arguments are handed over as they are and never seen by a
 * shell; time and output are bounded; the whole process group is ended when a bound is reached.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { type Clean, reviewed, type Text } from './taint.ts';

/** An argument of a program: clean, or let through for a written reason. */
export type Argument = Clean;

export interface ProgramRules {
  readonly program: Clean;
  readonly args: readonly Argument[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: Clean;
  /** User and group to run as; nothing keeps those of this process. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly umask: number;
  /** Milliseconds; 0 for no limit. */
  readonly timeout: number;
  /** Octets of output, standard output and error together; more ends the program. */
  readonly maximumOutput: number;
}

export type ProgramResult =
  | { readonly outcome: 'exited'; readonly status: number; readonly output: Buffer }
  | { readonly outcome: 'signalled'; readonly signal: number; readonly name: string; readonly output: Buffer }
  | { readonly outcome: 'timeout'; readonly output: Buffer }
  /** It could not be started. */
  | { readonly outcome: 'not run'; readonly code: string };

/** Tainted text that a program's arguments may hold, because its command line was written so on purpose. */
export function taintedArgument(text: Text, _reason: string): Argument {
  return reviewed(
    text.value,
    'an argument is not interpreted by any shell; the caller wrote down why it may be tainted',
  );
}

function start(rules: ProgramRules): ChildProcess {
  const umask = process.umask(rules.umask);
  try {
    return spawn(rules.program, [...rules.args], {
      cwd: rules.directory,
      env: rules.environment,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(rules.uid === undefined ? {} : { uid: rules.uid }),
      ...(rules.gid === undefined ? {} : { gid: rules.gid }),
    });
  } finally {
    process.umask(umask);
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}

/** Writes to the program's standard input; ends early, without an error, when the program does not want it. */
export type Feed = (write: (chunk: Buffer) => Promise<void>) => Promise<void>;

/** Runs a program with `feed` on its standard input. */
export function run(rules: ProgramRules, feed: Feed): Promise<ProgramResult> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = start(rules);
    } catch (error) {
      resolve({ outcome: 'not run', code: String((error as NodeJS.ErrnoException).code ?? error) });
      return;
    }
    const output: Buffer[] = [];
    let size = 0;
    let timedOut = false;
    const timer =
      rules.timeout > 0
        ? setTimeout(() => {
            timedOut = true;
            endGroup(child);
          }, rules.timeout)
        : undefined;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= rules.maximumOutput + 64 * 1024) output.push(chunk);
      if (size > rules.maximumOutput) endGroup(child);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ outcome: 'not run', code: error.code ?? 'EIO' });
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const all = Buffer.concat(output);
      if (timedOut) resolve({ outcome: 'timeout', output: all });
      else if (signal !== null) {
        resolve({ outcome: 'signalled', signal: constants.signals[signal], name: signal, output: all });
      } else resolve({ outcome: 'exited', status: status ?? 127, output: all });
    });
    void feedInput(child, feed);
  });
}

async function feedInput(child: ChildProcess, feed: Feed): Promise<void> {
  const { stdin } = child;
  if (stdin === null) return;
  let wanted = true;
  stdin.on('error', () => {
    wanted = false;
  });
  const write = (chunk: Buffer): Promise<void> =>
    new Promise((done) => {
      if (!wanted || stdin.destroyed) done();
      else stdin.write(chunk, () => done());
    });
  try {
    await feed(write);
  } catch {
    endGroup(child);
  }
  stdin.end();
}

/** A program that keeps running and is talked to over its standard input and output. */
export interface RunningProgram {
  /** Resolves when the program can take more; rejects when it is gone. */
  write(chunk: Buffer): Promise<void>;
  /** Pieces of its output, in order; ends when the program does. */
  readonly output: AsyncIterable<Buffer>;
  end(): void;
  kill(): void;
  /** Whether this process goes on as long as the program does. */
  waitFor(wanted: boolean): void;
}

/** Starts a program and leaves it running. What it writes to standard error goes to ours. */
export function startProgram(rules: Omit<ProgramRules, 'timeout' | 'maximumOutput'>): RunningProgram {
  const umask = process.umask(rules.umask);
  let child: ChildProcess;
  try {
    child = spawn(rules.program, [...rules.args], {
      cwd: rules.directory,
      env: rules.environment,
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(rules.uid === undefined ? {} : { uid: rules.uid }),
      ...(rules.gid === undefined ? {} : { gid: rules.gid }),
    });
  } finally {
    process.umask(umask);
  }
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error(`cannot talk to ${rules.program}`);
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    stdout.destroy();
  };
  child.on('error', fail);
  stdin.on('error', fail);
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) reject(failure);
        else stdin.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    output: stdout,
    end: () => stdin.end(),
    kill: () => child.kill('SIGKILL'),
    waitFor(wanted) {
      const pipes: readonly unknown[] = [stdin, stdout];
      for (const each of [child, ...pipes.filter((pipe) => pipe instanceof Socket)]) {
        if (wanted) each.ref();
        else each.unref();
      }
    },
  };
}

/** Runs a program with this one's own input, output, environment and directory; resolves when it has ended. */
export function runHere(program: Clean, args: readonly Argument[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { stdio: 'inherit' });
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}

/** Starts a program that goes on when this one has ended, with nothing to read from and nowhere to write to. */
export function startDetached(program: Clean, args: readonly Argument[]): void {
  const child = spawn(program, [...args], { cwd: '/', detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
}

/**
 * Starts a program that goes on without a terminal, with one variable more in its environment. Answers when it has cut
 * the channel it is given, which says that all is well, or has ended before. Its complaints go to our standard error.
 */
export function startDaemon(
  program: Clean,
  args: readonly Argument[],
  variable: { readonly name: Clean; readonly value: Clean },
): Promise<'started' | 'ended'> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, [variable.name]: variable.value },
    });
    child.on('error', () => resolve('ended'));
    child.on('exit', () => resolve('ended'));
    child.on('disconnect', () => {
      // an end cuts the channel, too
      setTimeout(() => {
        if (child.exitCode === null && child.signalCode === null) {
          child.unref();
          resolve('started');
        }
      }, 20);
    });
  });
}
