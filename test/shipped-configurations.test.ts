/** The shipped configurations that need no database: each is set up by one command, and its last lines work as they stand. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { account, run, TestServer } from './server.ts';
import { setup } from './shipped.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.make();
});
after(() => server.remove());

/** What the shell says to an indented line of the text that begins so. */
function pasted(text: string, beginning: string): string {
  const line = text.split('\n').find((each) => each.startsWith(`  ${beginning}`) && !each.includes('-bdf'));
  assert.ok(line !== undefined, `${beginning}\n${text}`);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'latin1' });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

test('tables: set up, asked, the first mail sent and read, all by the lines that the setup prints', () => {
  const directory = server.path('tables');
  const words = ['--directory', directory, '--user', account.user];
  const { status, stdout, stderr } = setup('tables', ...words);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /valiases\.db: made with 2 entries/);
  assert.match(
    pasted(stdout, `${stdout.match(/\S+\/bin\/exim/)?.[0]} -C ${directory}/configure-mx -bt`),
    /^root@fred\.linnet\.org -> \S+\/mail\/00\/fred\/$/m,
  );
  assert.match(
    pasted(stdout, 'printf'),
    /LOG: 0 MAIN\n {2}=> \S+\/mail\/00\/fred\/ <root@fred\.linnet\.org> D=valiases T=maildir_internal/,
  );
  assert.match(pasted(stdout, 'cat '), /\n\ntest message\n$/);
  assert.equal(statSync(`${directory}/mail/00/fred`).mode & 0o777, 0o700);
});

test('tables: a second run keeps what was edited, and makes tables of changed texts anew', () => {
  const directory = server.path('tables');
  const file = `${directory}/valiases`;
  const edited = readFileSync(file, 'latin1').replace('/mail/00/fred/', '/mail/02/other/');
  server.write('tables/valiases', edited);
  const then = Date.now() / 1000 - 100;
  utimesSync(file, then, then);
  const { status, stdout, stderr } = setup('tables', '--directory', directory, '--user', account.user);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^kept {6}\S+\/configure-mx$/m);
  assert.match(stdout, /valiases\.db: made with 2 entries/);
  assert.equal(readFileSync(file, 'latin1'), edited);
  const { stdout: shown } = run('exim', ['-C', `${directory}/configure-mx`, '-bt', 'root@fred.linnet.org']);
  assert.match(shown, /\/mail\/02\/other\//);
});

test('tables: domains of others are relayed for this host alone, and local ones are taken from everybody', () => {
  const ask = (host: string): string[] =>
    run(
      'exim',
      ['-C', server.path('tables/configure-mx'), '-oMa', host, '-bs'],
      'HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@fred.linnet.org>\r\nRCPT TO:<a@elsewhere.example>\r\nQUIT\r\n',
    )
      .stdout.split('\r\n')
      .slice(3, 5)
      .map((line) => line.slice(0, 3));
  assert.deepEqual(ask('127.0.0.1'), ['250', '250']);
  assert.deepEqual(ask('192.0.2.1'), ['250', '550']);
});

test('quota: set up, the first mail sent and read, and the list made anew, by the lines that the setup prints', () => {
  const directory = server.path('quota');
  const words = ['--directory', directory, '--user', account.user, '--server-user', account.user];
  const { status, stdout, stderr } = setup('quota', ...words);
  assert.equal(status, 0, stderr);
  assert.equal(pasted(stdout, `${stdout.match(/\S+\/bin\/maildir-check-quotas/)?.[0]}`), '');
  pasted(stdout, 'printf');
  assert.match(pasted(stdout, 'cat '), /\n\nThe first mail\.\n$/);
  assert.match(readFileSync(`${directory}/vmail/fred/maildirsize`, 'latin1'), /^10485760S,0C\n/);
  assert.match(setup('quota', ...words).stdout, /^kept {6}\S+\/exim\.conf$/m);
  const cron =
    readFileSync(`${directory}/crontab`, 'latin1')
      .split('\n')[1]
      ?.replace(/^\S+ \* \* \* \* +/, '') ?? '';
  assert.equal(spawnSync('sh', ['-c', cron], { encoding: 'latin1' }).status, 0);
});

test('both have configurations without a mistake, and no place is left open in them', () => {
  for (const file of ['tables/configure-mx', 'quota/exim.conf']) {
    const { status, stdout } = run('tabella', ['check', '-C', server.path(file)]);
    assert.equal(status, 0, stdout);
    assert.doesNotMatch(readFileSync(server.path(file), 'latin1'), /@[A-Z_]+@/);
  }
});

test('wrong words are told, and nothing is made', () => {
  for (const name of ['tables', 'quota']) {
    for (const words of [
      ['--nonsense', 'x'],
      ['--user'],
      ['--user', 'no-such-user'],
      ['--port', '99999'],
      ['--directory', '/tmp/a b'],
      ['x'],
    ]) {
      const { status, stderr } = setup(name, ...words);
      assert.ok(status === 64 || status === 1, `${name} ${words}`);
      assert.match(stderr, /setup: /);
    }
    assert.match(setup(name, '--help').stdout, /^usage: setup /);
  }
  assert.ok(!existsSync('/tmp/a b'));
});
