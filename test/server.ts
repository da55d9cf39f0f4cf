/**
 * A server for tests: a directory of its own with configuration, tables, spool and logs, and the real program started in
 * it. It works for root, whose server runs as the user `mail`, and for ordinary users, whose server runs as themselves.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The folder with the names of the program. */
export const bin = process.env['TABELLA_BIN'] ?? join(root, 'bin');
export const isRoot = process.getuid?.() === 0;

function numberFrom(command: string, ...words: readonly string[]): number {
  return Number(spawnSync(command, words, { encoding: 'utf8' }).stdout);
}

/** Whom the server runs as. */
export const account = isRoot
  ? { user: 'mail', uid: numberFrom('id', '-u', 'mail'), gid: numberFrom('id', '-g', 'mail') }
  : { user: userInfo().username, uid: userInfo().uid, gid: userInfo().gid };
const group = spawnSync('id', ['-gn', account.user], { encoding: 'utf8' }).stdout.trim();

/**
 * Kilobytes by which a server may grow while it is made to move hundreds of megabytes: the run-time looks for unused
 * octets outside its heap at the latest when 64 MB have gathered.
 */
export const uncollected = 96 * 1024;

/** Waits until something is so; fails with what was waited for. */
export async function waitFor(what: string, condition: () => unknown, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Gives a file to another user; only root can, and only then it matters. */
export function chownTo(path: string, uid: number): void {
  if (isRoot) chownSync(path, uid, account.gid);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Parts of a configuration; each text stands as it would in the file. */
export interface Parts {
  readonly main?: string;
  readonly acl?: string;
  readonly routers?: string;
  readonly transports?: string;
  readonly retry?: string;
}

/** Users of a table, each with a maildir of his own below `mail/`. */
export const tableRouters = (directory: string): string => `
table:
  driver = redirect
  domains = x.example
  data = \${lookup{$local_part}lsearch{${directory}/users}}
  directory_transport = maildir
  pipe_transport = program
`;

export const tableTransports = `
maildir:
  driver = appendfile
  user = ${account.user}
  maildir_format
  mode = 0600

program:
  driver = pipe
  user = ${account.user}
`;

export class TestServer {
  readonly directory: string;
  readonly port: number;
  #child: ChildProcess | undefined;
  #errors = '';

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  /** Makes the directory; nothing is started. `above` is where it is made. */
  static async make(above: string = tmpdir()): Promise<TestServer> {
    const directory = mkdtempSync(join(above, 'tabella-server-'));
    const server = new TestServer(directory, await freePort());
    chmodSync(directory, 0o755);
    for (const name of ['', 'log', 'spool', 'mail']) server.makeDirectory(name);
    server.write('users', `ann: ${directory}/mail/ann/\nben: ${directory}/mail/ben/\neve: ${directory}/mail/eve/\n`);
    server.configure({});
    return server;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  makeDirectory(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    if (isRoot) chownSync(path, account.uid, account.gid);
    return path;
  }

  /** Writes a file that belongs to the server's user. */
  write(name: string, content: string | Uint8Array, mode = 0o644): string {
    const path = this.path(name);
    writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
    chmodSync(path, mode);
    if (isRoot) chownSync(path, account.uid, account.gid);
    return path;
  }

  /** Writes the configuration file. Whoever connects may send to the users of the table. */
  configure(parts: Parts): void {
    this.write('config', this.configuration(parts));
    // root must own what it is to believe
    if (isRoot) chownSync(this.path('config'), 0, 0);
  }

  configuration({ main = '', acl, routers, transports, retry }: Parts): string {
    return `
exim_user = ${account.user}
exim_group = ${group}
spool_directory = ${this.directory}/spool
log_file_path = ${this.directory}/log/%slog
primary_hostname = mx.x.example
keep_environment =
timezone = UTC
never_users =
smtp_accept_max = 500
acl_smtp_rcpt = rcpt
${main}
begin acl
rcpt:
${acl ?? '  accept domains = x.example'}
begin routers
${routers ?? tableRouters(this.directory)}
begin transports
${transports ?? tableTransports}
begin retry
${retry ?? '* * F,2h,15m'}
`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What the daemon has written to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Starts the daemon and waits until it listens. `prefix` is a program that starts it, with its words. */
  async start(words: readonly string[] = [], prefix: readonly string[] = []): Promise<void> {
    const pidFile = this.path('pid');
    rmSync(pidFile, { force: true });
    const all = [
      ...prefix,
      join(bin, 'exim'),
      '-C',
      this.path('config'),
      '-bdf',
      '-oX',
      `127.0.0.1.${this.port}`,
      '-oP',
      pidFile,
      ...words,
    ];
    const child = spawn(all[0] ?? '', all.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#errors += text;
    });
    const listens = (): boolean => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n');
    await waitFor('the daemon listens', () => {
      if (!this.isRunning) throw new Error(`the daemon has ended: ${this.#errors}`);
      return listens();
    });
  }

  /** Ends the daemon with a signal and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Ends the daemon and removes everything. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    // its children may be writing still: what appears in the meantime is removed as well
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20 });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Runs a command of the program with this configuration. */
  run(words: readonly string[], input: string | Buffer = ''): Ran {
    return run('exim', ['-C', this.path('config'), ...words], input);
  }

  /** The lines of a log. */
  log(name: 'main' | 'reject' | 'panic' = 'main'): string {
    const path = this.path(`log/${name}log`);
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }

  /** What stands in the main log at the end, whenever it comes there. */
  async logs(pattern: RegExp, name: 'main' | 'reject' | 'panic' = 'main', seconds = 20): Promise<void> {
    await waitFor(`${pattern} in ${name}log`, () => pattern.test(this.log(name)), seconds).catch((error: Error) => {
      throw new Error(`${error.message}; the log ends so:\n${this.log(name).slice(-1500)}`);
    });
  }

  /** The messages in the maildir of a user. */
  mail(user: string): string[] {
    const directory = this.path(`mail/${user}/new`);
    if (!existsSync(directory)) return [];
    return readdirSync(directory).map((name) => readFileSync(join(directory, name), 'latin1'));
  }

  /** The names of the files below the spool's `input`. */
  get queue(): string[] {
    const directory = this.path('spool/input');
    return existsSync(directory) ? readdirSync(directory).sort() : [];
  }

  /** A line of `/proc/PID/status`, in kilobytes: `VmRSS`, `VmHWM`. */
  memory(name: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
  }
}

/** Runs the program by one of its names. */
export function run(name: string, words: readonly string[], input: string | Buffer = ''): Ran {
  const { status, stdout, stderr } = spawnSync(join(bin, name), words, {
    input,
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
  });
  return { status, stdout, stderr };
}
