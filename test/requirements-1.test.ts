/**
 * The table-driven delivery with DBM files, promise by promise: users, domains and quotas in tables, one owner of all
 * mail. Promises that a golden case proves name the case, which `golden.test.ts` runs; all others have their
 * test here.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cases, provedByCases } from './requirements.ts';
import { account, bin, isRoot, run, TestServer } from './server.ts';

provedByCases('000-tables', [
  ['1.1', 'users not in /etc/passwd', 'deliver-maildir'],
  ['1.3', 'one owner of all mail directories', 'deliver-maildir'],
  ['1.5', 'three tables: domains, addresses, quotas', 'quota-table'],
  ['1.6', 'sources with wildcards in keys', 'bt-wildcard-local'],
  ['1.7', 'folders are made when needed, mode 0700', 'deliver-maildir'],
  ['1.8', 'exim_dbmbuild says how many entries it wrote', 'dbmbuild'],
  ['1.9', 'exim_dbmbuild: case, quotes, comments, continuations, duplicates, missing sources', 'dbmbuild'],
  ['1.11', 'tables of the real exim_dbmbuild can be read', 'berkeley-file'],
  ['1.12', 'tables may change while running', 'table-changes'],
  ['1.15', '-bt of a local address', 'bt-wildcard-local'],
  ['1.16', '-bt of a remote address', 'bt-remote-mx'],
  ['1.18', '-v with a message on standard input', 'deliver-maildir'],
  ['1.19', 'log lines of arrival, delivery and completion', 'deliver-maildir'],
  ['1.22', '-odf waits for the delivery', 'deliver-maildir'],
  ['1.23', 'the message is in new, cur and tmp are empty, modes 0600 and 0700', 'deliver-maildir'],
  ['1.25', 'maildir_tag', 'deliver-maildir'],
  ['1.28', 'quota from a table with a default', 'quota-table'],
  ['1.30', 'over quota: the delivery is put off', 'quota-table'],
  ['1.31', 'quota as a global default, special cases in the table', 'quota-table'],
  ['1.32', 'a warning to users near the limit', 'quota-warning'],
  ['1.35', 'the order of partial2', 'partial2-order'],
  ['1.37', 'dbm*@', 'dbm-star-at'],
  ['1.40', 'qualify_preserve_domain', 'qualify-preserve-domain'],
  ['1.41', 'directory_transport', 'bt-wildcard-local'],
  ['1.42', 'hide_child_in_errmsg', 'quota-bounce-text'],
  ['1.43', 'store or forward', 'deliver-forward'],
  ['1.46', '${lookup{key}type{file}{matched}{failed}}', 'partial2-order'],
  ['1.24', 'Exim 3 names of maildir files', 'exim3-deliver'],
  ['1.38', 'the aliasfile director', 'exim3-bt'],
  ['1.39', 'include_domain', 'exim3-bt'],
  ['1.45', 'comments and blank lines in Exim 3 blocks', 'exim3-bt'],
]);

let server: TestServer;

before(async () => {
  server = await TestServer.make();
});
after(() => server.remove());

const group = spawnSync('id', ['-gn', account.user], { encoding: 'utf8' }).stdout.trim();

/** The configuration of a golden case in our directory, changed. */
function useCase(change: (text: string) => string = (text) => text): void {
  const text = readFileSync(join(cases, '000-tables/deliver-maildir/config'), 'latin1')
    .replaceAll('@DIR@', server.directory)
    .replaceAll('@USER@', account.user)
    .replaceAll('@GROUP@', group);
  server.write('config', change(text));
  if (isRoot) chownSync(server.path('config'), 0, 0);
}

function table(name: string, lines: readonly string[], ...words: readonly string[]): void {
  const source = server.write(name, lines.map((line) => `${line}\n`).join(''));
  const built = run('exim_dbmbuild', [...words, source, server.path(`${name}.db`)]);
  assert.equal(built.status, 0, built.stderr);
}

const box = (user: string): string => `${server.directory}/u/mail/${user}/`;

/** Tables of the usual kind, with these aliases. */
function tables(aliases: readonly string[]): void {
  table('vdomains', ['*.linnet.org', 'q.example', 'later.example']);
  table('valiases', aliases);
  table('mquota', [`${box('fred')}: 25000000`]);
}

const bt = (...addresses: readonly string[]) => server.run(['-bt', ...addresses]);
const send = (address: string, text = 'Subject: x\n\nx\n', ...words: readonly string[]) =>
  server.run(['-odf', ...words, '-f', 'joe@remote.example', address], text);
const inbox = (user: string): string[] => {
  const directory = join(box(user), 'new');
  return existsSync(directory) ? readdirSync(directory) : [];
};
const lookup = (expression: string): string => server.run(['-be', expression]).stdout;

test('1.2 more than 65,535 users: the last of 70,000 is found in less than a second', () => {
  useCase();
  tables(Array.from({ length: 70_000 }, (_, n) => `user${n}@a.linnet.org: ${box(String(n))}`));
  const begun = performance.now();
  const { status, stdout } = bt('user69999@a.linnet.org');
  assert.ok(performance.now() - begun < 1000);
  assert.equal(status, 0);
  assert.ok(stdout.includes(box('69999')), stdout);
});

test('1.4 thousands of local domains in a table', () => {
  useCase();
  tables([`x@a.d9999.example: ${box('x')}`]);
  table(
    'vdomains',
    Array.from({ length: 10_000 }, (_, n) => `*.d${n}.example`),
  );
  assert.ok(bt('x@a.d9999.example').stdout.includes(box('x')));
});

test('1.10 dbmnz finds what was written without zero bytes, dbm what was written with them', () => {
  useCase();
  table('with', ['key: value']);
  table('without', ['key: value'], '-nozero');
  const ask = (type: string, file: string): string =>
    lookup(`\${lookup{key}${type}{${server.path(file)}.db}{$value}{none}}`);
  assert.deepEqual(
    [ask('dbm', 'with'), ask('dbmnz', 'without'), ask('dbmnz', 'with'), ask('dbm', 'without')],
    ['value\n', 'value\n', 'none\n', 'none\n'],
  );
});

test('1.13 a tool rebuilds what is out of date, whole, and keeps the old table when the text has a mistake', () => {
  useCase();
  server.makeDirectory('made');
  server.write('made/tables.conf', 'vdomains vdomains.db\nvaliases valiases.db\nmquota mquota.db\n');
  server.write('made/vdomains', '*.linnet.org\n');
  server.write('made/valiases', `root@fred.linnet.org: ${box('fred')}\n`);
  server.write('made/mquota', `${box('fred')}: 25000000\n`);
  const rebuild = () => run('tabella', ['rebuild', server.path('made')]);
  const value = (): string => lookup(`\${lookup{root@fred.linnet.org}dbm{${server.path('made/valiases.db')}}}`);
  const built = rebuild();
  assert.equal(built.status, 0, built.stderr);
  assert.equal((built.stdout.match(/: made with 1 entry/g) ?? []).length, 3);
  const again = rebuild();
  // texts of this moment are looked at once more, but nothing is made
  assert.deepEqual([again.status, again.stdout, again.stderr], [0, '', '']);
  assert.equal(value(), `${box('fred')}\n`);
  server.write('made/valiases', `root@fred.linnet.org: ${box('jim')}\nroot@fred.linnet.org: twice\n`);
  const failed = rebuild();
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /valiases:2: duplicate key "root@fred\.linnet\.org"/);
  assert.equal(value(), `${box('fred')}\n`);
  server.write('made/valiases', `root@fred.linnet.org: ${box('jim')}\n`);
  assert.match(rebuild().stdout, /^\S*valiases\.db: made with 1 entry/);
  assert.equal(value(), `${box('jim')}\n`);
  assert.ok(!readdirSync(server.path('made')).some((name) => name.includes('.new')));
});

test('1.14 -C names another configuration', () => {
  useCase((text) => text.replace('primary_hostname = noc.ws.example', 'primary_hostname = other.ws.example'));
  assert.equal(server.run(['-bP', 'primary_hostname']).stdout, 'primary_hostname = other.ws.example\n');
});

test('1.17 exit codes of -bt: 0 routed, 1 deferred, 2 failed with the text', () => {
  useCase();
  tables([`root@fred.linnet.org: ${box('fred')}`, 'wait@fred.linnet.org: :defer: not now']);
  assert.equal(bt('root@fred.linnet.org').status, 0);
  assert.equal(bt('wait@fred.linnet.org').status, 1);
  const failed = bt('nobody@fred.linnet.org');
  assert.equal(failed.status, 2);
  assert.match(failed.stdout, /^nobody@fred\.linnet\.org is undeliverable: Unrouteable address\n/);
});

test('1.20 with Exim 3 text -v shows log lines behind LOG: 0 MAIN, with Exim 4 text behind LOG: MAIN', () => {
  const text = readFileSync(join(cases, '000-tables/exim3-deliver/config'), 'latin1')
    .replaceAll('@DIR@', server.directory)
    .replaceAll('@USER@', account.user)
    .replaceAll('@GROUP@', group);
  server.write('config', text);
  if (isRoot) chownSync(server.path('config'), 0, 0);
  tables([`root@fred.linnet.org: ${box('old')}`]);
  const { stderr } = send('root@fred.linnet.org', undefined, '-v');
  assert.match(stderr, /^LOG: 0 MAIN\n {2}<= joe@remote\.example U=/);
  assert.match(stderr, /^delivering message \w{6}-\w+-\w+$/m);
  assert.match(stderr, /^LOG: 0 MAIN\n {2}=> \S*\/old\/ <root@fred\.linnet\.org> D=valiases T=maildir_internal$/m);
  assert.match(stderr, /^LOG: 0 MAIN\n {2}Completed$/m);
  assert.doesNotMatch(stderr, /LOG: MAIN/);
  useCase();
  assert.match(send('root@fred.linnet.org', undefined, '-v').stderr, /^LOG: MAIN\n {2}<= /);
});

test('1.21 message ids say when the message came', () => {
  useCase();
  tables([`root@fred.linnet.org: ${box('fred')}`]);
  const from = Math.floor(Date.now() / 1000);
  const before = server.log().length;
  send('root@fred.linnet.org');
  const [, time = ''] =
    /([0-9A-Za-z]{6})-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} <= /.exec(server.log().slice(before)) ?? [];
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const seconds = [...time].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);
  assert.ok(seconds >= from && seconds <= from + 5, `${time} is ${seconds}`);
});

test('1.26 sizes for the quota come from the names of files', () => {
  useCase((text) => text.replace('DEFQUOTA = 10M', 'DEFQUOTA = 10K'));
  tables([`a@jim.linnet.org: ${box('jim')}`, `a@tom.linnet.org: ${box('tom')}`]);
  for (const [user, name, size] of [
    ['jim', '1.x,S=20000', 50],
    ['tom', '1.x,S=10', 20_000],
  ] as const) {
    for (const part of ['', 'new', 'cur', 'tmp']) server.makeDirectory(join('u/mail', user, part));
    server.write(`u/mail/${user}/new/${name}`, 'x'.repeat(size));
    send(`a@${user}.linnet.org`);
  }
  assert.equal(inbox('jim').length, 1);
  assert.match(server.log(), /== .*\/jim\/ <a@jim\.linnet\.org> .*defer \(-22\): mailbox is full/);
  assert.equal(inbox('tom').length, 2);
});

test('1.27 only readdir is needed when all names tell their sizes', (t) => {
  if (spawnSync('strace', ['-V']).error !== undefined) {
    // a file that cannot be looked at shows it, too: its name lies in a directory without the right to search
    t.diagnostic('there is no strace here; the test of row 1.26 shows that sizes of files are not asked for');
    return;
  }
  useCase();
  tables([`a@ann.linnet.org: ${box('ann')}`]);
  for (const part of ['', 'new', 'cur', 'tmp']) server.makeDirectory(join('u/mail/ann', part));
  for (let n = 0; n < 20; n++) server.write(`u/mail/ann/cur/${n}.x,S=10`, 'x');
  const trace = server.path('trace');
  spawnSync(
    'strace',
    [
      '-f',
      '-o',
      trace,
      '-e',
      'trace=%stat',
      join(bin, 'exim'),
      '-C',
      server.path('config'),
      '-odf',
      'a@ann.linnet.org',
    ],
    { input: 'Subject: x\n\nx\n' },
  );
  assert.doesNotMatch(readFileSync(trace, 'latin1'), /cur\/\d+\.x,S=10/);
  assert.equal(inbox('ann').length, 1);
});

test('1.29 the macro DEFQUOTA, and -DDEFQUOTA=1K', () => {
  useCase();
  tables([`a@max.linnet.org: ${box('max')}`]);
  const text = `Subject: x\n\n${'0123456789abcde\n'.repeat(200)}`;
  send('a@max.linnet.org', text, '-DDEFQUOTA=1K');
  assert.equal(inbox('max').length, 0);
  send('a@max.linnet.org', text);
  assert.equal(inbox('max').length, 1);
});

test('1.33 the text of the warning is ours to choose, and expanded', () => {
  useCase((text) =>
    text.replace(
      /^ {2}quota = .*$/m,
      '  quota = 3K\n  quota_warn_threshold = 50%\n  quota_warn_message = "To: $local_part@$domain\\nSubject: nearly full\\n\\nat ${uc:$domain}\\n"',
    ),
  );
  tables([`a@lea.linnet.org: ${box('lea')}`]);
  send('a@lea.linnet.org', `Subject: x\n\n${'0123456789abcde\n'.repeat(100)}`);
  const mails = inbox('lea').map((name) => readFileSync(join(box('lea'), 'new', name), 'latin1'));
  const warning = mails.find((text) => text.includes('Subject: nearly full\n'));
  assert.ok(warning?.includes('\n\nat LEA.LINNET.ORG\n'), mails.join('\n---\n'));
});

test('1.34 localhost and the primary host name are local besides the domains of the table', () => {
  useCase();
  tables([
    `root@localhost: ${box('here')}`,
    `root@noc.ws.example: ${box('here')}`,
    `root@fred.linnet.org: ${box('here')}`,
  ]);
  for (const domain of ['localhost', 'noc.ws.example', 'fred.linnet.org']) {
    assert.ok(bt(`root@${domain}`).stdout.includes(box('here')), domain);
  }
});

test('1.36 the other partial forms', () => {
  useCase();
  table('p', [
    '*.a.b.example: three',
    '*.b.example: two',
    '*.example: one',
    '*: all',
    '.c.example: dotted',
    'd.example: bare',
  ]);
  const ask = (type: string, key: string): string =>
    lookup(`\${lookup{${key}}${type}{${server.path('p')}.db}{$value}{none}}`).trimEnd();
  assert.equal(ask('partial-dbm', 'x.b.example'), 'two');
  assert.equal(ask('partial-dbm', 'x.a.b.example'), 'three');
  assert.equal(ask('partial-dbm', 'x.y.example'), 'none');
  assert.equal(ask('partial1-dbm', 'x.y.example'), 'one');
  assert.equal(ask('partial3-dbm', 'x.a.b.example'), 'three');
  assert.equal(ask('partial3-dbm', 'x.b.example'), 'none');
  assert.equal(ask('partial0-dbm', 'x.y.z'), 'all');
  assert.equal(ask('partial2(.)dbm', 'x.c.example'), 'dotted');
  assert.equal(ask('partial2()dbm', 'x.d.example'), 'bare');
  assert.equal(ask('partial2-dbm*', 'x.y.z'), 'all');
});

test('1.44 :fail:, :defer:, :blackhole:, :include:, :unknown:, a pipe and a file in the table', () => {
  useCase();
  const list = server.write('list', `root@fred.linnet.org\n`);
  tables([
    `root@fred.linnet.org: ${box('fred')}`,
    'no@q.example: :fail: not here',
    'wait@q.example: :defer: not now',
    'gone@q.example: :blackhole:',
    `all@q.example: :include:${list}`,
    'odd@q.example: :unknown:',
    `"prog@q.example": "|/bin/cat"`,
    `file@q.example: ${server.directory}/mail/box`,
  ]);
  assert.match(bt('no@q.example').stdout, /no@q\.example is undeliverable: not here/);
  assert.match(bt('wait@q.example').stdout, /wait@q\.example cannot be resolved at this time: not now/);
  assert.match(bt('gone@q.example').stdout, /gone@q\.example is discarded|blackhole/);
  assert.ok(bt('all@q.example').stdout.includes(box('fred')));
  assert.match(bt('odd@q.example').stdout, /undeliverable/);
  assert.match(bt('prog@q.example').stdout, /\|\/bin\/cat/);
  const before = server.log().length;
  send('file@q.example');
  assert.ok(readFileSync(server.path('mail/box'), 'latin1').startsWith('From joe@remote.example '));
  send('gone@q.example');
  assert.match(server.log().slice(before), /=> :blackhole: <gone@q\.example>/);
});

test('1.47 a missing table is a deferral, never an unknown user', () => {
  useCase();
  tables([]);
  rmSync(server.path('valiases.db'));
  const { status, stdout } = bt('root@fred.linnet.org');
  assert.equal(status, 1);
  assert.match(stdout, /cannot be resolved at this time/);
  assert.doesNotMatch(stdout, /Unrouteable/);
});

test('1.48 two addresses with the same maildir make two files, the same address twice makes one', () => {
  useCase();
  tables([`a@kim.linnet.org: ${box('kim')}`, `b@kim.linnet.org: ${box('kim')}`]);
  const before = server.log().length;
  server.run(['-odf', 'a@kim.linnet.org', 'b@kim.linnet.org', 'a@kim.linnet.org'], 'Subject: x\n\nx\n');
  assert.equal(inbox('kim').length, 2);
  assert.equal((server.log().slice(before).match(/ => /g) ?? []).length, 2);
});
