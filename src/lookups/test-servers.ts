/**
 * Real database servers for tests: each in a directory of its own, on a socket in it, run by a user who is not root. They
 * can be killed and started again in the middle of a test. A program that is not there is an error, never a skipped test.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Who runs the servers when root runs the tests: nobody. */
const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

function program(name: string, places: readonly string[], debianPackage: string): string {
  const found = places
    .flatMap((place) => globSync(join(place, name)))
    .sort()
    .at(-1);
  if (found !== undefined) return found;
  throw new Error(`this test needs ${name}: install ${debianPackage} (scripts/install-if-needed.sh --with-test-tools)`);
}

const systemPlaces = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];
const postgresPlaces = ['/usr/lib/postgresql/*/bin', ...systemPlaces];

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Recipe {
  /** Prepares the directory. */
  prepare(directory: string): void;
  command(directory: string): readonly [string, ...string[]];
  /** Whether the server answers. */
  answers(directory: string): boolean;
}

function must(command: readonly [string, ...string[]], input = ''): void {
  const [name, ...args] = command;
  const { status, stderr, stdout, error } = spawnSync(name, args, { ...owner, input, cwd: '/', encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${name} failed: ${stderr}${stdout}`);
}

function succeeds(command: readonly [string, ...string[]]): boolean {
  const [name, ...args] = command;
  return spawnSync(name, args, { ...owner, cwd: '/' }).status === 0;
}

export class TestDatabase {
  readonly directory: string;
  readonly #recipe: Recipe;
  #process: ChildProcess | undefined;

  private constructor(recipe: Recipe) {
    this.#recipe = recipe;
    this.directory = mkdtempSync(join(tmpdir(), 'tabella-db-'));
    if (owner.uid !== undefined) chownSync(this.directory, owner.uid, owner.gid);
    process.on('exit', this.#end);
    recipe.prepare(this.directory);
  }

  static async start(recipe: Recipe): Promise<TestDatabase> {
    const database = new TestDatabase(recipe);
    await database.start();
    return database;
  }

  async start(): Promise<void> {
    const [name, ...args] = this.#recipe.command(this.directory);
    let child: ChildProcess | undefined;
    for (let attempt = 0; attempt < 150; attempt++) {
      // one that was killed may have left children that hold its memory or its port for a moment
      if (child === undefined || child.exitCode !== null) {
        child = spawn(name, args, { ...owner, cwd: '/', stdio: 'ignore' });
        this.#process = child;
      }
      if (this.#recipe.answers(this.directory)) return;
      await setTimeout(100);
    }
    throw new Error(`${name} does not answer`);
  }

  /** Ends it at once, as a machine that breaks. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#end();
    process.removeListener('exit', this.#end);
  }

  readonly #end = (): void => {
    this.#process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20 });
  };
}

/** PostgreSQL: user `tester`, database `postgres`, no password. The socket is `DIRECTORY/.s.PGSQL.5432`. */
export function startPostgres(sql: string, ...settings: readonly string[]): Promise<TestDatabase> {
  const tool = (name: string): string => program(name, postgresPlaces, 'postgresql');
  const psql = (directory: string): [string, ...string[]] => [
    tool('psql'),
    '-q',
    '-v',
    'ON_ERROR_STOP=1',
    '-h',
    directory,
    '-U',
    'tester',
    '-d',
    'postgres',
  ];
  let filled = false;
  return TestDatabase.start({
    prepare: (directory) =>
      must([
        tool('initdb'),
        '-D',
        `${directory}/data`,
        '-A',
        'trust',
        '-U',
        'tester',
        '-N',
        '--no-locale',
        '-E',
        'UTF8',
      ]),
    command: (directory) => [
      tool('postgres'),
      '-D',
      `${directory}/data`,
      '-k',
      directory,
      '-c',
      'listen_addresses=',
      '-c',
      'fsync=off',
      ...['shared_buffers=8MB', ...settings].flatMap((setting) => ['-c', setting]),
    ],
    answers: (directory) => {
      if (!succeeds([...psql(directory), '-c', 'select 1'])) return false;
      if (!filled) must(psql(directory), sql);
      filled = true;
      return true;
    },
  });
}

/** MariaDB: user `tester` with password `secret`, database `mail`. The socket is `DIRECTORY/socket`. */
export function startMariadb(sql: string): Promise<TestDatabase> {
  const tool = (name: string): string => program(name, systemPlaces, 'mariadb-server-core and mariadb-client-core');
  const client = (directory: string): [string, ...string[]] => [
    tool('mariadb'),
    '--no-defaults',
    '--default-character-set=utf8mb4',
    '-S',
    `${directory}/socket`,
    '-u',
    'root',
  ];
  let filled = false;
  return TestDatabase.start({
    prepare: (directory) =>
      must([
        tool('mariadb-install-db'),
        '--no-defaults',
        `--datadir=${directory}/data`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ]),
    command: (directory) => [
      tool('mariadbd'),
      '--no-defaults',
      `--datadir=${directory}/data`,
      `--socket=${directory}/socket`,
      '--skip-networking',
      `--pid-file=${directory}/pid`,
      '--innodb-buffer-pool-size=8M',
      '--innodb-flush-log-at-trx-commit=0',
    ],
    answers: (directory) => {
      if (!succeeds([...client(directory), '-e', 'select 1'])) return false;
      const account = "create user tester@localhost identified by 'secret'; grant all on mail.* to tester@localhost;";
      if (!filled) must(client(directory), `create database mail character set utf8mb4; use mail; ${account} ${sql}`);
      filled = true;
      return true;
    },
  });
}

/** Redis with the password `secret`. The socket is `DIRECTORY/socket`. */
export function startRedis(): Promise<TestDatabase> {
  const ask = (directory: string): [string, ...string[]] => [
    program('redis-cli', systemPlaces, 'redis-tools'),
    '-s',
    `${directory}/socket`,
    '-a',
    'secret',
    '-e',
    'ping',
  ];
  return TestDatabase.start({
    prepare: () => undefined,
    command: (directory) => [
      program('redis-server', systemPlaces, 'redis-server'),
      '--port',
      '0',
      '--unixsocket',
      `${directory}/socket`,
      '--dir',
      directory,
      '--requirepass',
      'secret',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--save',
      '',
    ],
    answers: (directory) => succeeds(ask(directory)),
  });
}

/** A program that succeeds when the socket that it is told of takes a connection. */
const connecting =
  'require("net").connect(process.argv[1]).on("error", () => process.exit(1)).on("connect", () => process.exit(0))';

/** A key and a certificate for this machine in `key.pem` and `certificate.pem`. */
function makeCertificate(directory: string): void {
  must([
    program('openssl', systemPlaces, 'openssl'),
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'.split(' '),
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout',
    `${directory}/key.pem`,
    '-out',
    `${directory}/certificate.pem`,
  ]);
}

const ldapConfiguration = (directory: string, schema: string): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
${schema === '' ? '' : `include ${directory}/own.schema`}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${directory}/pid
TLSCertificateFile ${directory}/certificate.pem
TLSCertificateKeyFile ${directory}/key.pem
access to attrs=userPassword by self write by anonymous auth
access to * by users read by anonymous read
database mdb
maxsize 16777216
suffix "o=top"
rootdn "cn=manager,o=top"
rootpw secret
directory ${directory}/db
`;

/** slapd with TLS when asked for, and a tree below `o=top`; `cn=manager,o=top` has the password `secret`. `schema` is the text of a further schema. The socket is `DIRECTORY/socket`. */
export function startSlapd(ldif: string, port?: number, schema = ''): Promise<TestDatabase> {
  const slapd = program('slapd', systemPlaces, 'slapd');
  return TestDatabase.start({
    prepare(directory) {
      mkdirSync(`${directory}/db`);
      if (owner.uid !== undefined) chownSync(`${directory}/db`, owner.uid, owner.gid);
      writeFileSync(`${directory}/own.schema`, schema);
      writeFileSync(`${directory}/slapd.conf`, ldapConfiguration(directory, schema));
      makeCertificate(directory);
      writeFileSync(`${directory}/tree.ldif`, ldif);
      must([slapd, '-T', 'add', '-f', `${directory}/slapd.conf`, '-l', `${directory}/tree.ldif`]);
    },
    command(directory) {
      // a killed server leaves them behind
      for (const name of ['socket', 'pid']) rmSync(`${directory}/${name}`, { force: true });
      const socket = `ldapi://${encodeURIComponent(`${directory}/socket`)}`;
      const addresses = port === undefined ? socket : `${socket} ldap://127.0.0.1:${port}/`;
      return [slapd, '-d', '0', '-f', `${directory}/slapd.conf`, '-h', addresses];
    },
    // a socket may be left of one that was killed, or not listened on yet
    answers: (directory) => succeeds([process.execPath, '-e', connecting, `${directory}/socket`]),
  });
}
