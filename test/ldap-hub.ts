/**
 * The mail hub with LDAP for tests: set up by its own command in a directory, with a slapd of its own, and asked and changed
 * by the tools of OpenLDAP, as its administrators do it.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../src/lookups/test-servers.ts';
import { bin, type Ran, root, run, waitFor } from './server.ts';

const setup = join(root, 'configs/ldap/setup');

/** Runs the command that sets it up. */
export function runSetup(words: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync('sh', [setup, ...words], { encoding: 'latin1', timeout: 120_000 });
  return { status, stdout, stderr };
}

/** Whose bind an action of the directory is; nobody's when empty. */
export interface Who {
  readonly name: string;
  readonly password: string;
}

export const nobody: Who = { name: '', password: '' };

export class Hub {
  readonly directory: string;
  readonly ports: { readonly ldap: number; readonly smtp: number; readonly pop3: number };
  /** What the command said. */
  readonly said: Ran;
  readonly #children = new Set<ChildProcess>();

  private constructor(directory: string, ports: Hub['ports']) {
    this.directory = directory;
    this.ports = ports;
    process.on('exit', this.#end);
    this.said = this.setUp();
    if (this.said.status !== 0) throw new Error(`setup failed: ${this.said.stdout}${this.said.stderr}`);
  }

  static async make(): Promise<Hub> {
    const above = mkdtempSync(join(tmpdir(), 'tabella-hub-'));
    chmodSync(above, 0o755);
    return new Hub(join(above, 'hub'), { ldap: await freePort(), smtp: await freePort(), pop3: await freePort() });
  }

  /** Runs the command for this directory, once more. */
  setUp(): Ran {
    const { ldap, smtp, pop3 } = this.ports;
    const words = { '--ldap-port': ldap, '--smtp-port': smtp, '--pop3-port': pop3 };
    return runSetup([...Object.entries(words).flatMap(([name, port]) => [name, String(port)]), this.directory]);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  read(name: string): string {
    const path = this.path(name);
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }

  get url(): string {
    return `ldap://127.0.0.1:${this.ports.ldap}/`;
  }

  /** Somebody of the tree, by the name that the file of passwords has. */
  who(name: 'admin' | 'postmaster' | 'kos' | 'ann'): Who {
    const password = new RegExp(`^${name} (.*)$`, 'm').exec(this.read('passwords'))?.[1] ?? '';
    const above = { admin: '', postmaster: 'dc=domain1.com,', kos: 'dc=domain1.com,', ann: 'dc=domain2.com,' }[name];
    return { name: `uid=${name},${above}o=top`, password };
  }

  #tool(tool: string, who: Who, words: readonly string[], input = ''): Ran {
    const bind = who.name === '' ? [] : ['-D', who.name, '-w', who.password];
    const { status, stdout, stderr } = spawnSync(tool, ['-x', '-H', this.url, ...bind, ...words], {
      encoding: 'latin1',
      input,
    });
    return { status, stdout, stderr };
  }

  /** Answers 0, or the code of the directory: 50 for rights that somebody lacks. */
  add(who: Who, ldif: string): number | null {
    return this.#tool('ldapadd', who, [], ldif).status;
  }

  modify(who: Who, name: string, change: string): number | null {
    return this.#tool('ldapmodify', who, [], `dn: ${name}\nchangetype: modify\n${change}\n`).status;
  }

  delete(who: Who, name: string): number | null {
    return this.#tool('ldapdelete', who, [name]).status;
  }

  /** The entry as this person sees it. */
  search(who: Who, base: string, ...words: readonly string[]): string {
    return this.#tool('ldapsearch', who, ['-LLL', '-o', 'ldif-wrap=no', '-b', base, ...words]).stdout;
  }

  /** Whether the directory takes the password. */
  binds(who: Who): boolean {
    return this.#tool('ldapwhoami', who, []).status === 0;
  }

  /** Writes another configuration beside the one that was set up; answers its name. */
  variant(name: string, change: (text: string) => string): string {
    writeFileSync(this.path(name), change(this.read('exim.conf')), 'latin1');
    return name;
  }

  run(words: readonly string[], input = '', config = 'exim.conf'): Ran {
    return run('exim', ['-C', this.path(config), ...words], input);
  }

  /** As `run`, while this process goes on with its own work. */
  runBeside(words: readonly string[], input: string, config: string): Promise<number | null> {
    return new Promise((resolve) => {
      const child = spawn(join(bin, 'exim'), ['-C', this.path(config), ...words], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      child.on('close', resolve);
      child.stdin?.end(input);
    });
  }

  /** Starts a mail server and waits until it listens; it ends with the hub. */
  async start(config = 'exim.conf'): Promise<ChildProcess> {
    const pidFile = this.path(`${config}.pid`);
    const child = spawn(join(bin, 'exim'), ['-C', this.path(config), '-bdf', '-oP', pidFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      errors += text;
    });
    this.#children.add(child);
    await waitFor('the daemon listens', () => {
      if (child.exitCode !== null) throw new Error(`the daemon has ended: ${errors}`);
      return existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n');
    });
    return child;
  }

  async stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async logs(pattern: RegExp, log = 'log/mainlog'): Promise<void> {
    await waitFor(String(pattern), () => pattern.test(this.read(log))).catch((error: Error) => {
      throw new Error(`${error.message}; the log ends so:\n${this.read(log).slice(-1500)}`);
    });
  }

  async remove(): Promise<void> {
    for (const child of this.#children) await this.stop(child, 'SIGKILL');
    this.#end();
    process.removeListener('exit', this.#end);
  }

  readonly #end = (): void => {
    for (const child of this.#children) child.kill('SIGKILL');
    const pid = Number(this.read('slapd/pid'));
    if (pid > 0) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // it is gone already
      }
    }
    rmSync(join(this.directory, '..'), { recursive: true, force: true, maxRetries: 20 });
  };
}
