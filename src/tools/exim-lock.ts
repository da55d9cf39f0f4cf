/**
 * exim_lock: runs a command while a mailbox file is locked as deliveries lock it (Exim spec 54.15). Whatever the command
 * comes to, the status is 0 when the mailbox was locked.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { tryFlock, tryLock } from '../safe/native.ts';
import { runHere } from '../safe/spawn.ts';
import { type Clean, literal, reviewed } from '../safe/taint.ts';
import { hitchingPost, makeLockFile, removeLockFile } from '../store/lock-file.ts';

interface LockRequest {
  lockFile: boolean;
  fcntl: boolean;
  flock: boolean;
  restoreTimes: boolean;
  verbose: boolean;
  quiet: boolean;
  retries: number;
  /** Seconds between two attempts, and for which one attempt waits for fcntl(). */
  interval: number;
  timeout: number;
}

export interface LockTools {
  out(text: string): void;
  readonly hostname: Clean;
  /** Runs when no command is named. */
  readonly shell: string | undefined;
}

const usage = `usage: exim_lock [-v] [-q] [-lockfile] [-fcntl] [-flock]
       [-retries <n>] [-interval <n>] [-timeout <n>] [-restore-times]
       <file name> [command]
`;

type Flag = { [Name in keyof LockRequest]: LockRequest[Name] extends boolean ? Name : never }[keyof LockRequest];
type Count = Exclude<keyof LockRequest, Flag>;

const flags: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['-lockfile', 'lockFile'],
  ['-fcntl', 'fcntl'],
  ['-flock', 'flock'],
  ['-restore-times', 'restoreTimes'],
  ['-v', 'verbose'],
  ['-q', 'quiet'],
]);
const counts: ReadonlyMap<string, Count> = new Map<string, Count>([
  ['-retries', 'retries'],
  ['-interval', 'interval'],
  ['-timeout', 'timeout'],
]);

/** Answers the exit status. */
export async function eximLock(words: readonly string[], tools: LockTools): Promise<number> {
  const request: LockRequest = {
    lockFile: false,
    fcntl: false,
    flock: false,
    restoreTimes: false,
    verbose: false,
    quiet: false,
    retries: 10,
    interval: 3,
    timeout: 0,
  };
  let at = 0;
  for (; words[at]?.startsWith('-'); at++) {
    const word = words[at] ?? '';
    const flag = flags.get(word);
    const count = counts.get(word);
    const number = count === undefined ? '' : (words[++at] ?? '');
    if (flag !== undefined) request[flag] = true;
    else if (count !== undefined && /^\d{1,9}$/.test(number)) request[count] = Number(number);
    else return misused(tools);
  }
  const [name, command, ...others] = words.slice(at);
  if (name === undefined || others.length > 0) return misused(tools);
  if (!request.lockFile && !request.fcntl && !request.flock) Object.assign(request, { lockFile: true, fcntl: true });
  const path = reviewed(name, 'the caller named it, and this program has the rights of its caller');
  return new Locking(path, request, tools).run(command);
}

function misused({ out }: LockTools): number {
  out(usage);
  return 1;
}

/** Why no further attempt is made. */
class Hopeless extends Error {}

class Locking {
  readonly #path: Clean;
  readonly #request: LockRequest;
  readonly #tools: LockTools;
  readonly #own: Clean;

  constructor(path: Clean, request: LockRequest, tools: LockTools) {
    this.#path = path;
    this.#request = request;
    this.#tools = tools;
    this.#own = hitchingPost(path, tools.hostname);
  }

  #tell(text: string): void {
    if (!this.#request.quiet) this.#tools.out(`exim_lock: ${text}\n`);
  }

  #explain(text: string): void {
    if (this.#request.verbose) this.#tell(text);
  }

  async run(command: string | undefined): Promise<number> {
    const { retries, interval, timeout, lockFile, quiet } = this.#request;
    if (lockFile) this.#explain(`lockname =  ${this.#path}.lock\n           hitchname = ${this.#own}`);
    try {
      for (let attempt = 0; attempt < retries; attempt++) {
        if (await this.#attempt(command)) return 0;
        if (timeout > 0) continue;
        if (!quiet) this.#tools.out(' ... waiting\n');
        await sleep(interval * 1000);
      }
    } catch (error) {
      if (!(error instanceof Hopeless)) throw error;
      this.#tools.out(`exim_lock: ${error.message}\n`);
      if (lockFile) this.#removeLockFile();
      return 1;
    }
    this.#tools.out('exim_lock: locking failed too many times\n');
    return 1;
  }

  /** False when somebody else has the mailbox. */
  async #attempt(command: string | undefined): Promise<boolean> {
    const { lockFile } = this.#request;
    if (lockFile && !this.#makeLockFile()) return false;
    const isLocked = await this.#withFile(command);
    if (lockFile) this.#removeLockFile();
    return isLocked;
  }

  #makeLockFile(): boolean {
    this.#explain('creating lock file');
    try {
      // one that is old is left to those who deliver
      if (!makeLockFile(this.#path, this.#own, 0o440, Number.POSITIVE_INFINITY)) {
        this.#tell('failed to link hitching post to lock file');
        return false;
      }
    } catch (error) {
      this.#tell(`failed to create hitching post ${this.#own}: ${errorText(error)}`);
      return false;
    }
    this.#tell('lock file successfully created');
    return true;
  }

  #removeLockFile(): void {
    removeLockFile(this.#path);
    this.#tell('lock file removed');
  }

  async #withFile(command: string | undefined): Promise<boolean> {
    const { fcntl, flock } = this.#request;
    if (!fcntl && !flock) {
      await this.#work(command);
      return true;
    }
    const file = this.#open();
    let isLocked = false;
    try {
      isLocked = (!fcntl || (await this.#lock('fcntl', file))) && (!flock || (await this.#lock('flock', file)));
      if (isLocked) await this.#work(command);
      return isLocked;
    } finally {
      files.close(file);
      this.#tell(isLocked ? `${this.#path} closed` : 'file closed');
    }
  }

  #open(): files.Descriptor {
    try {
      return files.open(this.#path, files.readWrite);
    } catch (error) {
      throw new Hopeless(`failed to open ${this.#path} for writing: ${errorText(error)}`);
    }
  }

  async #lock(kind: 'fcntl' | 'flock', file: files.Descriptor): Promise<boolean> {
    const seconds = kind === 'fcntl' ? this.#request.timeout : 0;
    const until = clock.elapsed() + seconds * 1000;
    const take = kind === 'fcntl' ? tryLock : tryFlock;
    while (!take(file)) {
      if (clock.elapsed() >= until) {
        const why = seconds > 0 ? 'Interrupted system call' : 'Resource temporarily unavailable';
        this.#tell(`${kind}() failed: ${why}`);
        return false;
      }
      await sleep(100);
    }
    this.#tell(`${kind}() lock successfully applied`);
    return true;
  }

  /** Runs the command, or a shell. */
  async #work(command: string | undefined): Promise<void> {
    const times = this.#request.restoreTimes ? files.stat(this.#path) : undefined;
    this.#tell(`locking ${this.#path} succeeded: running the command ...`);
    const line = command ?? (this.#tools.shell || '/bin/sh');
    await runHere(literal('/bin/sh'), [literal('-c'), reviewed(line, 'the caller wrote it, and it runs as him')]);
    if (times !== undefined) files.setTime(this.#path, times.mtimeMs, times.atimeMs);
  }
}
