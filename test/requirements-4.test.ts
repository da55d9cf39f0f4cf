/**
 * Quotas of maildirs that are refused at RCPT, promise by promise. Promises that a golden case proves name the case, which
 * `golden.test.ts` runs; all others have their test here, with the shipped configuration. Row 4.28, a check of
 * appendfile's own quotas while a message comes in, was never asked for.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { provedByCases } from './requirements.ts';
import { account, bin, type Ran, run, TestServer } from './server.ts';
import { setup, use } from './shipped.ts';

provedByCases('003-maildir-quota', [
  ['4.1', 'accepted at SMTP, then a bounce', 'accept-then-bounce'],
  ['4.2', 'the router maildir_overquota', 'overquota-router'],
  ['4.3', 'real addresses are aliases for those of a private domain', 'overquota-router'],
  ['4.4', 'local_parts from a list: comments, data, case, quoted keys', 'list-forms'],
  ['4.5', ':fail: with allow_fail and without', 'quota-failures'],
  ['4.6', 'verify = recipient refuses, also through an alias', 'overquota-rcpt'],
  ['4.7', 'a sender on this host gets it as a bounce', 'quota-failures'],
  ['4.8', 'mail from a listed user fails, too', 'quota-failures'],
  ['4.9', 'the list as a DBM table', 'list-forms'],
  ['4.10', 'maildir-check-quotas writes sorted names with three comment lines', 'tool-check-quotas'],
  ['4.11', 'exactly full counts, and a percentage', 'tool-check-quotas'],
  ['4.12', 'no maildirsize: no quota and no error', 'tool-check-quotas'],
  ['4.13', '-v tells each folder', 'tool-check-quotas'],
  ['4.18', 'maildir_use_size_file', 'maildirsize'],
  ['4.19', 'a maildirsize is believed, and made anew when its quota differs', 'size-file-kept'],
  ['4.20', 'quota_is_inclusive = false', 'inclusive-false'],
  ['4.21', 'quota_is_inclusive', 'inclusive-true'],
  ['4.22', 'quota_filecount', 'filecount'],
  ['4.23', 'SIZE at RCPT and the real size at DATA against maildirsize', 'rcpt-size-acl'],
  ['4.24', 'a daemon on a socket says who is full', 'socket-daemon'],
  ['4.25', 'a text for each user', 'own-message-per-user'],
]);

let server: TestServer;
let list: string;
before(async () => {
  server = await TestServer.make();
  const words = ['--directory', server.directory, '--user', account.user, '--server-user', account.user];
  const { status, stderr } = setup('quota', ...words);
  assert.equal(status, 0, stderr);
  list = server.path('lists/maildir_quota_exceeded');
});
beforeEach(() => use(server, 'exim.conf'));
after(() => server.remove());

/** Gives a mailbox the size file that is given. */
function box(name: string, text: string): void {
  server.makeDirectory(`vmail/${name}`);
  server.write(`vmail/${name}/maildirsize`, text);
}

const check = (...words: readonly string[]): Ran =>
  run('maildir-check-quotas', ['--maildirs', server.path('vmail'), '--output', list, ...words]);
const names = (): string[] =>
  readFileSync(list, 'latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
/** What is said to RCPT by a server of this configuration. */
function rcpt(recipient: string, config = 'config'): string {
  const { stdout } = run(
    'exim',
    ['-C', server.path(config), '-oMa', '10.0.0.1', '-bs'],
    `HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<${recipient}>\r\nQUIT\r\n`,
  );
  return stdout.split('\r\n')[3] ?? '';
}

test('4.9 the list as a cdb', () => {
  server.write('list', 'bob\n');
  server.write('tables.conf', 'list list.cdb\n');
  assert.equal(run('tabella', ['rebuild', server.directory]).status, 0);
  use(server, 'exim.conf', (text) => text.replace(`lsearch;${list}`, `cdb;${server.path('list.cdb')}`));
  assert.equal(rcpt('bob@shop.example'), '550 Mailbox quota exceeded');
  assert.equal(rcpt('info@shop.example'), '250 Accepted');
});

test('4.10 the whole way: a full mailbox is listed by the run, and refused from then on; one with room is taken again', () => {
  box('bob', '1000S\n400 1\n');
  assert.deepEqual([check().status, names()], [0, []]);
  assert.equal(rcpt('bob@shop.example'), '250 Accepted');
  box('bob', '1000S\n400 1\n700 1\n');
  check();
  assert.deepEqual(names(), ['bob']);
  assert.equal(rcpt('bob@shop.example'), '550 Mailbox quota exceeded');
  box('bob', '1000S\n400 1\n700 1\n-700 -1\n');
  check();
  assert.equal(rcpt('bob@shop.example'), '250 Accepted');
});

test('4.14 the places of the mailboxes and of the list are those of the seed, unless others are named', () => {
  // nothing lies at the first place here, so that the second stays as it is
  const { status, stderr } = run('maildir-check-quotas', ['--maildirs', server.path('nowhere')]);
  assert.equal(status, 1);
  assert.match(stderr, /\/etc\/exim\/maildir_quota_exceeded stays as it is/);
  assert.match(run('maildir-check-quotas', ['--help']).stdout, /\[--maildirs directory\] \[--output file\]/);
});

test('4.15 the date in the form of the seed', () => {
  check();
  const line = readFileSync(list, 'latin1').split('\n')[2] ?? '';
  // Sun, 22 Aug 2004 17:40:00 +0100
  assert.match(line, /^# Generated at [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$/);
  assert.ok(Math.abs(Date.parse(line.slice('# Generated at '.length)) - Date.now()) < 60_000, line);
});

test('4.16 a reader never sees half a list, though it is made anew all the time', async () => {
  for (let n = 0; n < 300; n++) box(`full${n}`, '1S\n5 1\n');
  check();
  const whole = names().length;
  assert.ok(whole >= 300);
  const old = openSync(list, 'r');
  const words = ['--maildirs', server.path('vmail'), '--output', list];
  const loop = spawn('sh', [
    '-c',
    'for i in 1 2 3 4 5 6; do "$0" "$@" || exit 1; done',
    join(bin, 'maildir-check-quotas'),
    ...words,
  ]);
  const ended = new Promise((resolve) => loop.once('exit', resolve));
  let running = true;
  void ended.then(() => {
    running = false;
  });
  let reads = 0;
  while (running) {
    assert.equal(names().length, whole);
    reads++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await ended, 0);
  assert.ok(reads > 20);
  // the list that was there is gone, and was never written to
  assert.equal(fstatSync(old).nlink, 0);
  closeSync(old);
  assert.deepEqual(readdirSync(server.path('lists')), ['maildir_quota_exceeded']);
});

test('4.17 quotas on the number of messages', () => {
  box('ten', `10C\n${'5 1\n'.repeat(10)}`);
  box('nine', `10C\n${'5 1\n'.repeat(9)}`);
  check();
  assert.ok(names().includes('ten') && !names().includes('nine'));
});

test('4.26 several mail exchangers read a copy of the one list', () => {
  box('bob', '1000S\n1000 1\n');
  check();
  mkdirSync(server.path('second'));
  copyFileSync(list, server.path('second/list'));
  writeFileSync(
    server.path('config2'),
    readFileSync(server.path('config'), 'latin1').replace(list, server.path('second/list')),
  );
  assert.equal(rcpt('bob@shop.example'), '550 Mailbox quota exceeded');
  assert.equal(rcpt('bob@shop.example', 'config2'), '550 Mailbox quota exceeded');
  assert.equal(rcpt('info@shop.example', 'config2'), '250 Accepted');
});

test('4.27 the grace variant: quotas of the transport are higher than what users are promised', () => {
  // promised 1M, and 1M more in the transport
  box('grace', '2097152S\n1048576 1\n');
  box('under', '2097152S\n1048575 1\n');
  check('--grace', '1M');
  assert.ok(names().includes('grace') && !names().includes('under'));
  check();
  assert.ok(!names().includes('grace'));
});
