/**
 * The servers that can be measured: for each its port, how many messages it gets in comparison with Exim so that runs
 * last about equally long, and how it is started. Everything a server writes lies in a directory of its run.
 *
 * Exim and Tabella read the same configuration, exim.conf, behind definitions of a few macros.
 */

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = dirname(fileURLToPath(import.meta.url));

export function makeDirectory(path, uid = 0, gid = 0, mode = 0o755) {
  mkdirSync(path, { recursive: true });
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

/** Writes a configuration file: definitions, then what bench/ has under that name. */
export function writeConfiguration(path, definitions, name) {
  const lines = Object.entries(definitions).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(path, lines.join('') + readFileSync(join(bench, name), 'latin1'), { mode: 0o644 });
}

function writeEximConfiguration(path, place, user, uid) {
  for (const name of ['spool', 'log']) makeDirectory(join(place.run, name), uid, uid, 0o750);
  const { run, mail, users, port, sink } = place;
  const macros = { SERVER_USER: user, RUN: run, MAIL: mail, USERS: `${users}.cdb`, PORT: port, SINK: sink };
  writeConfiguration(path, macros, 'exim.conf');
}

const arguments_ = ['-bdf', '-q1h'];

function exim(place) {
  // Debian's Exim gives its rights up when another file is named with -C
  writeEximConfiguration('/etc/exim4/exim4.conf', place, 'Debian-exim', 3101);
  return ['/usr/sbin/exim4', ...arguments_];
}

/** Tabella as its own start script starts it; for a profile its run-time is started directly. */
export function tabellaCommand(place, configuration) {
  const words = [...arguments_, '-C', configuration];
  if (place.profile === undefined) return [join(place.tree, 'bin/exim'), ...words];
  const runTimes = ['x64', 'arm64'].map((kind) => join(place.tree, `node_modules/node-linux-${kind}/bin/node`));
  const node = runTimes.find((path) => existsSync(path)) ?? process.execPath;
  const profiling = ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${place.profile}`];
  return [node, ...profiling, join(place.tree, 'dist/tabella.cjs'), place.tree, 'exim', ...words];
}

/** Runs a command as the user who owns the mail. */
export const asVmail = (command) => ['setpriv', '--reuid=vmail', '--regid=vmail', '--clear-groups', '--', ...command];

function tabella(place, user, uid) {
  const configuration = join(place.run, 'exim.conf');
  writeEximConfiguration(configuration, place, user, uid);
  return tabellaCommand(place, configuration);
}

/** Writes a Postfix that works below a directory, with definitions before its main.cf; answers the command that runs it. */
export function postfix({ run, port }, definitions) {
  const etc = join(run, 'etc');
  const queue = join(run, 'queue');
  makeDirectory(etc);
  makeDirectory(queue);
  makeDirectory(join(run, 'data'), 3102, 3102, 0o700);
  writeConfiguration(join(etc, 'main.cf'), { bench_run: run, ...definitions }, 'postfix-main.cf');
  writeConfiguration(join(etc, 'master.cf'), {}, 'postfix-master.cf');
  writeFileSync(join(etc, 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n`, { flag: 'a' });
  writeFileSync(
    join(etc, 'dynamicmaps.cf'),
    `cdb postfix-cdb.so dict_cdb_open mkmap_cdb_open
pgsql postfix-pgsql.so dict_pgsql_open
ldap postfix-ldap.so dict_ldap_open
`,
  );
  const private_ = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming'];
  for (const name of [...private_, 'private', 'saved', 'trace']) makeDirectory(join(queue, name), 3102, 0, 0o700);
  makeDirectory(join(queue, 'maildrop'), 3102, 3103, 0o1730);
  makeDirectory(join(queue, 'public'), 3102, 3103, 0o2710);
  makeDirectory(join(queue, 'pid'));
  return ['/usr/lib/postfix/sbin/master', '-c', etc, '-d'];
}

/** By name. `start` writes what the server needs and answers the command that runs it in the foreground. */
export const peers = new Map([
  [
    'tabella',
    {
      port: 2520,
      weight: 4,
      start: (place) => asVmail(tabella(place, 'vmail', 5000)),
      note: 'as the user who owns the mail',
    },
  ],
  [
    'tabella-root',
    { port: 2523, weight: 4, start: (place) => tabella(place, 'Debian-exim', 3101), note: 'started by root' },
  ],
  ['exim', { port: 2521, weight: 1, start: exim, note: 'Exim 4, heavy daemon' }],
  [
    'postfix',
    {
      port: 2522,
      weight: 4,
      start: (place) =>
        postfix(place, {
          bench_mail: place.mail,
          bench_domains: 'example.test',
          bench_users: `cdb:${place.users}`,
          bench_sink: place.sink,
        }),
      usesSyslog: true,
      note: 'cdb maps, virtual(8)',
    },
  ],
]);
