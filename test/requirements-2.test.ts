/**
 * Virtual mail with PostgreSQL, promise by promise. Promises that a golden case proves name the case, which
 * `golden.test.ts` runs; those that cannot be kept yet say why; all others have their test here, most of them with the
 * shipped configuration.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { provedByCases, waits } from './requirements.ts';
import { account, bin, isRoot, root, run, waitFor } from './server.ts';
import { setUpPostgresql, type WithPostgresql } from './shipped.ts';
import { SmtpClient } from './smtp-client.ts';

provedByCases('001-virtual-pgsql', [
  ['2.2', 'the table of domains', 'bt-tables'],
  ['2.3', "local='f' keeps a domain listed but not local", 'backup-domain'],
  ['2.4', 'the table of users', 'bt-tables'],
  ['2.5', "mail='t' decides whether a user gets mail", 'bt-tables'],
  ['2.6', 'aliases: a pipe, an address, several', 'bt-tables'],
  ['2.8', 'a Unix socket in parentheses', 'bt-tables'],
  ['2.10', 'hide', 'hide-servers'],
  ['2.11', 'macros for queries', 'bt-tables'],
  ['2.12', 'an empty domainlist', 'relay-hosts'],
  ['2.13', 'doubled colons and CIDR in a hostlist', 'relay-hosts'],
  ['2.14', 'a query as a list of domains', 'bt-tables'],
  ['2.17', 'the ACLs of RCPT, DATA and HELO', 'relay-hosts'],
  ['2.18', 'net32-dbm, net24-dbm and dbm in a hostlist', 'blacklist-tables'],
  ['2.19', 'the command lines of applyblacklist', 'blacklist-junk'],
  ['2.20', 'modifiers on lines of their own', 'blacklist-junk'],
  ['2.21', 'blacklisted mail goes to Junk with a header line', 'blacklist-junk'],
  ['2.22', 'ACL variables and the host survive in the spool', 'acl-variables-kept'],
  ['2.23', 'qualify_domain and qualify_recipient', 'qualify'],
  ['2.24', 'host_lookup', 'host-lookup'],
  ['2.25', 'rfc1413_hosts and rfc1413_query_timeout', 'ident'],
  ['2.26', 'message_size_limit', 'size-limits'],
  ['2.27', 'return_size_limit', 'return-size'],
  ['2.29', 'limits on connections', 'accept-max'],
  ['2.31', 'ignore_bounce_errors_after', 'frozen-timeout'],
  ['2.32', 'timeout_frozen_after', 'frozen-timeout'],
  ['2.33', 'values as -bP shows them', 'options-shown'],
  ['2.34', 'local_part_suffix', 'suffix-mailbox'],
  ['2.35', 'aliases from a query over several lines', 'bt-tables'],
  ['2.36', 'the order of routers decides', 'bt-tables'],
  ['2.37', 'a query as a condition', 'bt-tables'],
  ['2.38', 'cannot_route_message', 'relay-hosts'],
  ['2.40', 'return_fail_output', 'pipe-fail-output'],
  ['2.41', 'return_path_add', 'pipe-extension'],
  ['2.42', 'the environment of a pipe', 'pipe-extension'],
  ['2.43', 'exit codes of a pipe', 'pipe-fail-output'],
  ['2.45', 'the transport to Junk', 'blacklist-junk'],
  ['2.46', 'names with a quote', 'lookup-forms'],
  ['2.47', 'several columns, several rows, and an update', 'lookup-forms'],
  ['2.48', 'the database is away', 'pg-down'],
]);

const noFilter = (): boolean => !existsSync(join(bin, 'tmda-filter'));
for (const [row, promise] of [
  ['2.51', 'an unknown sender is held and asked'],
  ['2.52', 'the configuration of TMDA'],
  ['2.53', 'HOME in the pipe of TMDA'],
  ['2.54', 'the list of confirmed senders grows'],
  ['2.55', 'a white list of domains in the incoming filter'],
] as const) {
  waits(row, promise, "TMDA's own programs come later", noFilter);
}

let shipped: WithPostgresql;
before(async () => {
  shipped = await setUpPostgresql();
});
beforeEach(() => shipped.use());
after(() => shipped.remove());

const box = (user: string, folder = ''): string => shipped.server.path(`mail/mail.example/${user}/${folder}new`);
const inbox = (user: string, folder = ''): string[] =>
  existsSync(box(user, folder)) ? readdirSync(box(user, folder)) : [];
const send = (recipient: string, header = 'Subject: x', ...words: readonly string[]) =>
  shipped.server.run(['-odf', ...words, '-f', 'ann@mail.example', recipient], `${header}\n\nx\n`);

test('2.1 pgsql lookups are built in', () => {
  assert.match(run('exim', ['-bV']).stdout, /^Lookups.*\bpgsql\b/m);
});

/** Runs the daemon on the interfaces of its configuration. */
async function withDaemon(act: () => Promise<void>): Promise<void> {
  const pid = shipped.server.path('daemon-pid');
  rmSync(pid, { force: true });
  const daemon = spawn(join(bin, 'exim'), ['-C', shipped.server.path('config'), '-bdf', '-oP', pid], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  try {
    await waitFor('the daemon listens', () => existsSync(pid) && readFileSync(pid, 'latin1').endsWith('\n'));
    await act();
  } finally {
    daemon.kill('SIGTERM');
    await ended;
  }
}

/** Runs the daemon on the port of the test server. */
async function running(words: readonly string[], act: () => Promise<void>): Promise<void> {
  await shipped.server.start(words);
  try {
    await act();
  } finally {
    await shipped.server.stop();
  }
}

const answers = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(shipped.server.port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

test('2.7 local_interfaces with another separator and a trailing empty item: those addresses and no other', async () => {
  shipped.use((text) =>
    text
      .replace(
        /^local_interfaces = .*\n(?: {10}.*\n)*/m,
        'local_interfaces = <; 127.0.0.1 ; \\\n 127.0.0.2 ; \\\n 127.0.0.4 ; \\\n\n',
      )
      .replace(/^daemon_smtp_ports = .*$/m, `daemon_smtp_ports = ${shipped.server.port}`),
  );
  await withDaemon(async () => {
    const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];
    assert.deepEqual(await Promise.all(hosts.map(answers)), [true, true, false, true]);
  });
});

test('2.9 servers by their address, and the second when the first is dead', async () => {
  // the first answers nothing at all, the second is the socket
  shipped.use((text) =>
    text.replace(
      /^hide pgsql_servers = "(.*)"$/m,
      'hide pgsql_servers = "127.0.0.1::1/mail/exim/x : localhost::1/mail/exim/x : $1"',
    ),
  );
  assert.equal(shipped.server.run(['-bt', 'ann@mail.example']).status, 0);
  // the form of the seed: address/database/user/password, here of a server that listens on a port
  const { stdout } = shipped.server.run(['-be', '${lookup pgsql,servers=127.0.0.1::1/mail/exim/x{select 1}}']);
  assert.match(stdout, /connection to server at "127\.0\.0\.1", port 1 failed: Connection refused/);
});

test('2.15 log_file_path with %s: mainlog and rejectlog, paniclog only when it is needed', () => {
  for (const name of ['main', 'reject', 'panic']) rmSync(shipped.server.path(`log/${name}log`), { force: true });
  send('ann@mail.example');
  assert.deepEqual(readdirSync(shipped.server.path('log')), ['mainlog']);
  shipped.server.run(
    ['-oMa', '198.51.100.9', '-bs'],
    'HELO x\r\nMAIL FROM:<ann@mail.example>\r\nRCPT TO:<nobody-here@mail.example>\r\nQUIT\r\n',
  );
  assert.deepEqual(readdirSync(shipped.server.path('log')).sort(), ['mainlog', 'rejectlog']);
});

test('2.16 a renamed log is left alone: the next line of the running daemon goes into a new one', async () => {
  rmSync(shipped.server.path('log/mainlog'), { force: true });
  await running([], async () => {
    const [log, old] = ['log/mainlog', 'log/mainlog.1'].map((name) => shipped.server.path(name)) as [string, string];
    const talk = async (): Promise<void> => {
      const client = await SmtpClient.greet(shipped.server.port);
      await client.message('ann@mail.example', ['ann@mail.example'], 'Subject: x\n\nx\n');
      await client.quit();
      await shipped.server.logs(/ Completed\n/);
    };
    await talk();
    renameSync(log, old);
    // the daemon looks twice a second whether its log is still there
    await new Promise((resolve) => setTimeout(resolve, 600));
    const kept = readFileSync(old);
    await talk();
    assert.ok(readFileSync(old).equals(kept));
  });
});

test('2.16 log_file_mode of the installation: logs that everybody may read', () => {
  const program = shipped.server.path('program');
  mkdirSync(join(program, 'bin'), { recursive: true });
  copyFileSync(join(root, 'bin/tabella'), join(program, 'bin/tabella'));
  symlinkSync('tabella', join(program, 'bin/exim'));
  for (const name of ['node_modules', 'dist', 'package.json']) symlinkSync(join(root, name), join(program, name));
  writeFileSync(join(program, 'installation.conf'), 'log_file_mode = 0644\n');
  const modeAfter = (exim: string): number => {
    rmSync(shipped.server.path('log/mainlog'), { force: true });
    spawnSync(exim, ['-C', shipped.server.path('config'), '-odf', 'ann@mail.example'], { input: 'Subject: x\n\nx\n' });
    return statSync(shipped.server.path('log/mainlog')).mode & 0o777;
  };
  assert.equal(modeAfter(join(bin, 'exim')), 0o640);
  // the file must belong to root to be believed
  assert.equal(modeAfter(join(program, 'bin/exim')), isRoot ? 0o644 : 0o640);
});

test('2.28 smtp_accept_queue: with more connections messages are queued, not delivered at once', async () => {
  shipped.use((text) => text.replace('smtp_accept_queue = 270', 'smtp_accept_queue = 1'));
  const before = inbox('ann').length;
  await running([], async () => {
    const client = await SmtpClient.greet(shipped.server.port);
    const mail = (): Promise<string> => client.message('ann@mail.example', ['ann@mail.example'], 'Subject: x\n\nx\n');
    await mail();
    await waitFor('one connection: delivered at once', () => inbox('ann').length === before + 1);
    const second = await SmtpClient.greet(shipped.server.port);
    await mail();
    await client.quit();
    await second.quit();
  });
  assert.equal(inbox('ann').length, before + 1);
  assert.equal(shipped.server.run(['-bpc']).stdout, '1\n');
  shipped.server.run(['-odf', '-qff']);
  assert.equal(inbox('ann').length, before + 2);
});

for (const most of [1, 2]) {
  test(`2.30 queue_run_max = ${most}: not more runs at a time from one daemon`, async () => {
    shipped.use((text) => text.replace('queue_run_max = 16', `queue_run_max = ${most}`));
    shipped.server.write('slow', '#!/bin/sh\ncat >/dev/null\nsleep 5\n', 0o755);
    shipped.sql(`INSERT INTO aliases VALUES ('slow@mail.example', '|${shipped.server.path('slow')}', 1)`);
    for (let n = 0; n < 4; n++) {
      shipped.server.run(['-odq', '-f', 'ann@mail.example', 'slow@mail.example'], 'Subject: x\n\nx\n');
    }
    const length = shipped.server.log().length;
    const starts = (): number =>
      (
        shipped.server
          .log()
          .slice(length)
          .match(/ Start queue run: /g) ?? []
      ).length;
    await running(['-q1s'], async () => {
      await waitFor(`${most} runs`, () => starts() === most);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal(starts(), most);
    });
    for (const name of shipped.server.queue) rmSync(shipped.server.path(`spool/input/${name}`));
    shipped.sql("DELETE FROM aliases WHERE source='slow@mail.example'");
  });
}

test('2.39 users of this machine get their mail beside those of the tables', () => {
  const path = shipped.server.path(`system/${account.user}`);
  rmSync(path, { force: true });
  const length = shipped.server.log().length;
  send(`${account.user}@localhost`);
  assert.match(shipped.server.log().slice(length), / R=localuser T=local_delivery/);
  assert.match(readFileSync(path, 'latin1'), /^From ann@mail\.example /);
});

test('2.44 the directory from a query with a blank behind pgsql; modes 0660 and 0770', () => {
  rmSync(shipped.server.path('mail/mail.example/postmaster'), { recursive: true, force: true });
  send('postmaster@mail.example');
  const [name = ''] = inbox('postmaster');
  assert.equal(statSync(join(box('postmaster'), name)).mode & 0o777, 0o660);
  for (const each of ['new', 'cur', 'tmp', '.'])
    assert.equal(statSync(shipped.server.path(`mail/mail.example/postmaster/${each}`)).mode & 0o777, 0o770, each);
});

/** Files of a tree below the directory of mail, each with its age in days. */
const aged: Readonly<Record<string, number>> = {
  '.tmda/pending/1.old': 16,
  '.tmda/pending/2.new': 12,
  '.tmda/responses/old': 15.5,
  '.tmda/responses/new': 1,
  'x.example/ann/.Junk/cur/old': 12,
  'x.example/ann/.Junk/cur/new': 9,
  'x.example/ann/.Junk/new/old': 12,
  'x.example/ben/Trash/cur/old': 100,
  'x.example/ben/.Trash/cur/old': 11.5,
  'x.example/ben/.Trash/cur/new': 0,
  'x.example/ben/cur/old': 500,
};

test('2.49 tabella expire removes what the cron jobs removed, and only that; a dry run only says so', () => {
  const mail = shipped.server.path('mail');
  const twin = shipped.server.path('twin');
  for (const directory of [mail, twin]) {
    for (const [name, days] of Object.entries(aged)) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'x');
      utimesSync(path, Date.now() / 1000 - days * 86_400, Date.now() / 1000 - days * 86_400);
    }
    if (isRoot) spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, directory]);
  }
  mkdirSync(join(mail, '.tmda/logs'), { recursive: true });
  writeFileSync(join(mail, '.tmda/logs/incoming'), 'lines\n');
  if (isRoot) spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, join(mail, '.tmda')]);
  // the lines of the seed; times of change cannot be set, so those of modification stand for them
  for (const words of [
    [`${twin}/.tmda/pending`, '-mtime', '+14'],
    [`${twin}/.tmda/responses`, '-mtime', '+14'],
    [`${twin}/`, '-path', '*Junk/cur*', '-type', 'f', '-mtime', '+10'],
    [`${twin}/`, '-path', '*Trash/cur*', '-type', 'f', '-mtime', '+10'],
  ]) {
    assert.equal(spawnSync('find', [...words, '-exec', 'rm', '{}', ';']).status, 0);
  }
  shipped.use((text) => text.replaceAll(' 14d ctime', ' 14d'));
  const left = (directory: string): string[] => Object.keys(aged).filter((name) => existsSync(join(directory, name)));
  const all = left(mail);
  const expire = (...words: readonly string[]) =>
    run('tabella', ['expire', ...words, '-C', shipped.server.path('config')]);
  const dry = expire('--dry-run');
  assert.deepEqual([dry.status, dry.stderr], [0, '']);
  assert.deepEqual(left(mail), all);
  const named = [...dry.stdout.matchAll(/^would be removed: (.*)$/gm)].map(([, path = '']) =>
    path.slice(mail.length + 1),
  );
  assert.deepEqual(
    named.sort(),
    Object.keys(aged)
      .filter((name) => !existsSync(join(twin, name)))
      .sort(),
  );
  const { status, stdout, stderr } = expire();
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(left(mail), left(twin));
  assert.equal(left(mail).length, 6);
  assert.match(stdout, /\*Junk\/cur\/\*: 1 file of 2 removed, 1 octets$/m);
  assert.equal(readFileSync(join(mail, '.tmda/logs/incoming'), 'latin1'), '');
  // nothing is left to do or to say
  assert.deepEqual(expire(), { status: 0, stdout: '', stderr: '' });
});

test("2.50 a message scored above the user's limit goes to Junk; the table's standard limit is 7", () => {
  shipped.sql(
    "INSERT INTO users (email, username, maildir, mail) VALUES ('low@mail.example', 'low', 'mail.example/low', true), ('unset@mail.example', 'unset', 'mail.example/unset', true)",
  );
  shipped.sql("UPDATE users SET spamlimit=3 WHERE username='low'");
  shipped.sql("UPDATE users SET spamlimit=NULL WHERE username='unset'");
  const goesToJunk = (user: string, header: string): boolean => {
    const length = inbox(user, '.Junk/').length;
    send(`${user}@mail.example`, `${header}\nSubject: x`);
    return inbox(user, '.Junk/').length > length;
  };
  const scores = [
    'X-Spam-Score: 7',
    'X-Spam-Score: 7.0',
    'X-Spam-Score: 7.1',
    'X-Spam-Score: 12.5 (++++)',
    'X-Spam-Score: -3.2',
    'X-Spam-Score: nothing',
    'X-Spam-Score: 8 (1.2)',
    'X-Other: 9',
  ];
  assert.deepEqual(
    scores.map((header) => goesToJunk('ann', header)),
    [false, false, true, true, false, false, true, false],
  );
  assert.deepEqual([goesToJunk('low', 'X-Spam-Score: 3.5'), goesToJunk('low', 'X-Spam-Score: 2.9')], [true, false]);
  assert.deepEqual([goesToJunk('unset', 'X-Spam-Score: 7.5'), goesToJunk('unset', 'X-Spam-Score: 6.5')], [true, false]);
  send('ann+tag@mail.example', 'X-Spam-Score: 99');
  assert.match(shipped.server.log(), /=> ann <ann\+tag@mail\.example> R=spam_router T=virtual_delivery_spam/);
  assert.equal(existsSync(shipped.server.path('log/paniclog')), false);
});
