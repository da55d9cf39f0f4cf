/**
 * Mail servers of others, Exim and Postfix, as they are in Debian: unpacked by scripts/unpack-peers.sh, not installed, and
 * run by root in directories of their own.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { waitFor } from './server.ts';

const place = '/var/cache/tabella/peers';

/** The directory of a package. @throws Error where it was not unpacked */
function unpacked(name: string): string {
  const directory = join(place, name);
  if (existsSync(directory)) return directory;
  throw new Error(`this test needs ${name}: run scripts/install-if-needed.sh --with-test-tools as root`);
}

/** Where a program finds the libraries that came with it. */
const librariesIn = (tree: string): string =>
  globSync(join(tree, '{usr/lib/*-linux-gnu,lib/*-linux-gnu,usr/lib/postfix}')).join(':');

function numberOf(database: 'passwd' | 'group', name: string): number {
  const { stdout } = spawnSync('getent', [database, name], { encoding: 'utf8' });
  return Number(stdout.split(':')[2]);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.end('QUIT\r\n');
      resolve(true);
    });
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
  });
}

export class Peer {
  readonly #child: ChildProcess;
  readonly #logs: () => string;
  #errors = '';

  private constructor(child: ChildProcess, logs: () => string) {
    this.#child = child;
    this.#logs = logs;
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#errors += text;
    });
  }

  /** What it has logged. */
  get log(): string {
    return this.#logs() + this.#errors;
  }

  static async #start(
    command: readonly [string, ...string[]],
    libraries: string,
    port: number,
    logs: () => string,
  ): Promise<Peer> {
    const [name, ...words] = command;
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LD_LIBRARY_PATH: libraries, TZ: 'UTC' };
    const peer = new Peer(spawn(name, words, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] }), logs);
    await waitFor(`${name} greets`, () => greets(port)).catch((error: Error) => {
      throw new Error(`${error.message}; it said: ${peer.log}`);
    });
    return peer;
  }

  /** Exim with this configuration; `DIR` stands for its directory. It listens on the first port, and on others. */
  static async exim(
    directory: string,
    port: number,
    configuration: string,
    others: readonly number[] = [],
  ): Promise<Peer> {
    const tree = unpacked('exim4-daemon-light');
    const libraries = librariesIn(tree);
    const config = join(directory, 'exim.conf');
    const [uid, gid] = [numberOf('passwd', 'daemon'), numberOf('group', 'daemon')];
    for (const name of ['spool', 'log', 'mail']) {
      mkdirSync(join(directory, name));
      chownSync(join(directory, name), uid, gid);
    }
    const head = `keep_environment = LD_LIBRARY_PATH
exim_path = ${tree}/usr/sbin/exim-as-daemon
exim_user = daemon
exim_group = daemon
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
timezone = UTC
`;
    writeFileSync(config, (head + configuration).replaceAll('DIR', directory));
    const log = (): string =>
      globSync(join(directory, 'log/*'))
        .map((path) => readFileSync(path, 'latin1'))
        .join('');
    const places = [port, ...others].map((each) => `127.0.0.1.${each}`).join(' : ');
    const words = ['-C', config, '-bdf', '-oX', places];
    return Peer.#start([`${tree}/usr/sbin/exim-as-daemon`, ...words], libraries, port, log);
  }

  /** Postfix that listens on a port; `settings` are lines of main.cf. */
  static async postfix(directory: string, port: number, settings: string): Promise<Peer> {
    const tree = unpacked('postfix');
    const libraries = librariesIn(tree);
    // users and groups that every Debian has, none of them in use here
    const [owner, dropGroup] = ['list', 'voice'];
    const [uid, gid] = [numberOf('passwd', owner), numberOf('group', dropGroup)];
    const make = (name: string, mode: number, user = 0, group = 0): void => {
      mkdirSync(join(directory, name), { recursive: true });
      chmodSync(join(directory, name), mode);
      chownSync(join(directory, name), user, group);
    };
    make('etc', 0o755);
    make('queue', 0o755);
    make('queue/pid', 0o755);
    make('data', 0o700, uid, gid);
    for (const name of 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(' ')) {
      make(`queue/${name}`, 0o700, uid);
    }
    make('queue/maildrop', 0o1730, uid, gid);
    make('queue/public', 0o2710, uid, gid);
    writeFileSync(
      join(directory, 'etc/main.cf'),
      `compatibility_level = 3.6
import_environment = LD_LIBRARY_PATH=${libraries} MAIL_CONFIG=${directory}/etc TZ=UTC
meta_directory = ${directory}/etc
queue_directory = ${directory}/queue
data_directory = ${directory}/data
command_directory = ${tree}/usr/sbin
daemon_directory = ${tree}/usr/lib/postfix/sbin
shlib_directory = ${tree}/usr/lib/postfix
mail_owner = ${owner}
setgid_group = ${dropGroup}
default_privs = games
maillog_file = ${directory}/log
maillog_file_prefixes = ${directory}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
smtp_host_lookup = native
smtpd_relay_restrictions = permit_mynetworks, reject
${settings}
`,
    );
    writeFileSync(join(directory, 'etc/dynamicmaps.cf'), '');
    writeFileSync(
      join(directory, 'etc/master.cf'),
      `127.0.0.1:${port} inet n - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
pickup    unix n - n 60    1 pickup
cleanup   unix n - n -     0 cleanup
qmgr      unix n - n 300   1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -     - trivial-rewrite
bounce    unix - - n -     0 bounce
defer     unix - - n -     0 bounce
trace     unix - - n -     0 bounce
verify    unix - - n -     1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n -     - proxymap
smtp      unix - - n -     - smtp
showq     unix n - n -     - showq
error     unix - - n -     - error
retry     unix - - n -     - error
discard   unix - - n -     - discard
anvil     unix - - n -     1 anvil
scache    unix - - n -     1 scache
`,
    );
    const log = (): string =>
      existsSync(join(directory, 'log')) ? readFileSync(join(directory, 'log'), 'latin1') : '';
    const master = `${tree}/usr/lib/postfix/sbin/master`;
    return Peer.#start([master, '-c', join(directory, 'etc'), '-d'], libraries, port, log);
  }

  /** Waits for a line in its log. */
  async logs(pattern: RegExp): Promise<void> {
    await waitFor(String(pattern), () => pattern.test(this.log)).catch((error: Error) => {
      throw new Error(`${error.message}; its log: ${this.log.slice(-3000)}`);
    });
  }

  /** Ends it with all its processes. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    process.kill(-pid, 'SIGTERM');
    await gone;
  }
}
