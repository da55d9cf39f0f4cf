/** The large tables: two cdb files, a PostgreSQL database and an LDAP directory, each made by its own tools. */

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, globSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ldapPort = 3890;
const nobody = 65_534;

function must(what, command, words, options = {}) {
  const { status, stderr } = spawnSync(command, words, { stdio: ['pipe', 'ignore', 'pipe'], ...options });
  if (status !== 0) throw new Error(`${what} failed: ${stderr}`);
}

function makeOwn(path) {
  mkdirSync(path, { recursive: true });
  chownSync(path, nobody, nobody);
  chmodSync(path, 0o755);
}

/** Writes lines without holding all of them. */
function writeLines(path, count, line) {
  const file = openSync(path, 'w');
  const step = 10_000;
  for (let from = 0; from < count; from += step) {
    const length = Math.min(step, count - from);
    writeSync(file, Array.from({ length }, (_, i) => line(from + i)).join(''));
  }
  closeSync(file);
}

/** `users.cdb` and `domains.cdb`, by postmap. */
export function makeCdb(work, users, domains) {
  const directory = join(work, 'cdb');
  mkdirSync(directory);
  const etc = join(work, 'postmap');
  mkdirSync(etc, { recursive: true });
  writeFileSync(
    join(etc, 'main.cf'),
    `compatibility_level = 3.6\nmeta_directory = ${etc}\nshlib_directory = /usr/lib/postfix\n`,
  );
  writeFileSync(join(etc, 'dynamicmaps.cf'), 'cdb postfix-cdb.so dict_cdb_open mkmap_cdb_open\n');
  writeLines(join(directory, 'users'), users, (n) => `u${n}@d${n % domains}.example\td${n % domains}/u${n}/\n`);
  writeLines(join(directory, 'domains'), domains, (n) => `d${n}.example\tyes\n`);
  for (const name of ['users', 'domains']) {
    must('the table', '/usr/sbin/postmap', ['-c', etc, `cdb:${join(directory, name)}`]);
  }
  return directory;
}

function program(name, ...places) {
  const found = places.flatMap((place) => globSync(join(place, name))).at(-1);
  if (found === undefined) throw new Error(`${name} is missing; npm test installs it`);
  return found;
}

async function waitFor(what, answers) {
  for (let tries = 0; tries < 200; tries++) {
    if (await answers()) return;
    await sleep(50);
  }
  throw new Error(`${what} does not answer`);
}

/** A PostgreSQL server with the tables of the second seed; answers its socket's directory, a question and how to end it. */
export async function startPostgresql(work, users, domains) {
  const directory = join(work, 'pgsql');
  makeOwn(directory);
  const tool = (name) => program(name, '/usr/lib/postgresql/*/bin');
  const as = { uid: nobody, gid: nobody, cwd: '/' };
  must(
    'initdb',
    tool('initdb'),
    ['-D', join(directory, 'data'), '-A', 'trust', '-U', 'tester', '-N', '--no-locale', '-E', 'UTF8'],
    as,
  );
  const settings = ['listen_addresses=', 'fsync=off', 'shared_buffers=512MB', 'max_connections=200'];
  const words = ['-D', join(directory, 'data'), '-k', directory, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(tool('postgres'), words, { ...as, stdio: 'ignore' });
  const psql = (sql) =>
    spawnSync(tool('psql'), ['-qAtX', '-h', directory, '-U', 'tester', '-d', 'postgres', '-c', sql], {
      ...as,
      encoding: 'utf8',
    });
  await waitFor('PostgreSQL', () => psql('select 1').status === 0);
  const { status, stderr } = psql(`
    create table transport (domain varchar(64) primary key, local boolean not null);
    create table users (username varchar(64) not null, maildir varchar(127), mail boolean);
    insert into transport select 'd' || n || '.example', true from generate_series(0, ${domains - 1}) n;
    insert into users select 'u' || n || '@d' || n % ${domains} || '.example', 'd' || n % ${domains} || '/u' || n || '/', true
      from generate_series(0, ${users - 1}) n;
    create unique index users_username on users (username);
    analyze;`);
  if (status !== 0) throw new Error(`the tables of PostgreSQL could not be made: ${stderr}`);
  return {
    socket: directory,
    /** Transactions so far: one for each query. */
    queries: () => Number(psql("select xact_commit from pg_stat_database where datname = 'postgres'").stdout),
    stop: () => server.kill('SIGQUIT'),
  };
}

/** A slapd with a tenth of the users; answers how to end it. */
export async function startLdap(work, users, domains) {
  const directory = join(work, 'ldap');
  makeOwn(directory);
  makeOwn(join(directory, 'data'));
  const module = program('back_mdb.so', '/usr/lib/ldap', '/usr/lib/*/ldap');
  const schema = ['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include /etc/ldap/schema/${name}.schema\n`);
  writeFileSync(
    join(directory, 'slapd.conf'),
    `${schema.join('')}modulepath ${module.replace(/\/[^/]*$/, '')}\nmoduleload back_mdb\npidfile ${directory}/pid\ndatabase mdb\nmaxsize 4294967296\nsuffix o=top\ndirectory ${directory}/data\nindex objectClass eq\naccess to * by * read\n`,
  );
  const ldif = join(directory, 'tree.ldif');
  const file = openSync(ldif, 'w');
  writeSync(file, 'dn: o=top\nobjectClass: organization\no: top\n\n');
  for (let n = 0; n < domains; n++) {
    writeSync(file, `dn: dc=d${n}.example,o=top\nobjectClass: domain\ndc: d${n}.example\n\n`);
  }
  for (let n = 0; n < users; n++) {
    const domain = `d${n % domains}`;
    writeSync(
      file,
      `dn: uid=u${n},dc=${domain}.example,o=top\nobjectClass: account\nuid: u${n}\ndescription: ${domain}/u${n}/\n\n`,
    );
  }
  closeSync(file);
  const as = { uid: nobody, gid: nobody, cwd: '/' };
  const conf = join(directory, 'slapd.conf');
  must('slapadd', program('slapadd', '/usr/sbin'), ['-q', '-f', conf, '-l', ldif], as);
  const url = `ldap://127.0.0.1:${ldapPort}`;
  const server = spawn(program('slapd', '/usr/sbin'), ['-d', '0', '-h', url, '-f', conf], { ...as, stdio: 'ignore' });
  await waitFor(
    'slapd',
    () =>
      new Promise((resolve) => {
        const socket = connect(ldapPort, '127.0.0.1', () => socket.end() && resolve(true));
        socket.on('error', () => resolve(false));
      }),
  );
  return { stop: () => server.kill('SIGKILL') };
}
