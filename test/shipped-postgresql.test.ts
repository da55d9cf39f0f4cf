/** The shipped configuration for PostgreSQL: its setup, and mail on all the ways that it knows. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, startPostgres } from '../src/lookups/test-servers.ts';
import { account, isRoot, root, run, waitFor } from './server.ts';
import { setUpPostgresql, setup, type WithPostgresql } from './shipped.ts';
import { SmtpClient } from './smtp-client.ts';

let shipped: WithPostgresql;
before(async () => {
  shipped = await setUpPostgresql();
});
after(() => shipped.remove());

const inbox = (user: string, folder = ''): string[] => {
  const directory = shipped.server.path(`mail/mail.example/${user}/${folder}new`);
  return existsSync(directory)
    ? readdirSync(directory).map((name) => readFileSync(join(directory, name), 'latin1'))
    : [];
};
const send = (recipient: string, text = 'Subject: x\n\nx\n', ...words: readonly string[]) =>
  shipped.server.run(['-odf', ...words, '-f', 'ann@mail.example', recipient], text);
/** The part of the log that something adds. */
function logOf(act: () => unknown): string {
  const length = shipped.server.log().length;
  act();
  return shipped.server.log().slice(length);
}
/** An SMTP session from a host, on standard input. */
const session = (host: string, lines: readonly string[]) =>
  shipped.server.run(['-odf', '-oMa', host, '-bs'], lines.map((line) => `${line}\r\n`).join('')).stdout;

test('the setup says what it makes, and ends with the line that sends the first mail', () => {
  const { stdout } = shipped.said;
  assert.match(stdout, /^database {2}mail, role exim$/m);
  assert.match(stdout, /^made {6}tables transport, users, aliases$/m);
  assert.match(stdout, /^wrote {5}\S+\/exim\.conf$/m);
  const line = /^ {2}(printf .* ann@mail\.example)$/m.exec(stdout)?.[1];
  assert.ok(line !== undefined, stdout);
  const { status, stderr } = spawnSync('sh', ['-c', line], { encoding: 'latin1' });
  assert.equal(status, 0, stderr);
  assert.match(inbox('ann').join(''), /\nSubject: Hello\n[\s\S]*\n\nThe first mail\.\n$/);
  const look = /^ {2}(cat .*)$/m.exec(stdout)?.[1] ?? '';
  assert.match(spawnSync('sh', ['-c', look], { encoding: 'latin1' }).stdout, /The first mail\./);
  const explained = spawnSync('sh', ['-c', /^ {2}(\S+ explain .*)$/m.exec(stdout)?.[1] ?? ''], { encoding: 'utf8' });
  assert.match(explained.stdout, /becomes eric@mail\.example/);
});

test('a second run keeps everything, rows and passwords included', () => {
  shipped.sql("UPDATE users SET spamlimit=9 WHERE username='ann'");
  const config = readFileSync(shipped.server.path('exim.conf'));
  const { status, stdout, stderr } = setup('postgresql', ...shipped.words);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^kept {6}tables transport, users, aliases$/m);
  assert.match(stdout, /^kept {6}\S+\/exim\.conf$/m);
  assert.doesNotMatch(stdout, /^(?:made|wrote) /m);
  assert.ok(readFileSync(shipped.server.path('exim.conf')).equals(config));
  assert.equal(shipped.sql("SELECT spamlimit FROM users WHERE username='ann'"), '9');
  assert.equal(shipped.sql('SELECT count(*) FROM users'), '4');
  assert.equal(shipped.sql('SELECT count(*) FROM aliases'), '4');
  shipped.sql("UPDATE users SET spamlimit=7 WHERE username='ann'");
});

test('the configuration holds a password of its own that nobody else can read, and the role only reads', () => {
  const text = readFileSync(shipped.server.path('exim.conf'), 'latin1');
  assert.match(text, /^hide pgsql_servers = "\(\S+\)\/mail\/exim\/[0-9a-f]{40}"$/m);
  assert.equal(statSync(shipped.server.path('exim.conf')).mode & 0o007, 0);
  const { stdout } = shipped.server.run(['-be', "${lookup pgsql{UPDATE users SET mail='t'}}"]);
  assert.match(stdout, /permission denied/);
  assert.doesNotMatch(text, /@[A-Z_]+@/);
});

test('wrong words and a server that is not there are told, and nothing is made', () => {
  for (const words of [
    ['--nonsense', 'x'],
    ['--port'],
    ['--port', '0'],
    ['--role', 'a b'],
    ['--directory', '/tmp/a b'],
    ['more'],
  ]) {
    const { status, stderr } = setup('postgresql', ...words);
    assert.equal(status, 64, `${words}: ${stderr}`);
  }
  const nowhere = setup(
    'postgresql',
    '--directory',
    shipped.server.path('other'),
    '--socket',
    shipped.server.directory,
    '--admin',
    'tester',
  );
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.stderr, /cannot make the role and the database/);
  assert.ok(!existsSync(shipped.server.path('other')));
});

test('the configuration has no mistake, and the real text of the seed stands in it', () => {
  const { status, stdout } = run('tabella', ['check', '-C', shipped.server.path('exim.conf')]);
  assert.equal(status, 0, stdout);
  const text = readFileSync(join(root, 'configs/postgresql/exim.conf'), 'latin1');
  for (const line of [
    "Q_LOCAL_DOMAIN=SELECT domain FROM transport WHERE domain='$domain' AND local='t'",
    "Q_VALID_EMAIL=SELECT id FROM users WHERE email='$local_part@$domain' AND mail='t'",
    'domainlist relay_to_domains =',
    'domainlist local_domains = pgsql;Q_LOCAL_DOMAIN',
    'acl_smtp_helo = acl_check_blacklist',
    'qualify_recipient = localhost',
    'host_lookup = *',
    'rfc1413_hosts = *',
    'rfc1413_query_timeout = 10s',
    'message_size_limit = 50M',
    'return_size_limit = 100K',
    'smtp_accept_queue = 270',
    'smtp_accept_max = 400',
    'smtp_accept_max_per_host = 10',
    'smtp_accept_reserve = 100',
    'queue_run_max = 16',
    'ignore_bounce_errors_after = 3d',
    'timeout_frozen_after = 3d',
    '  condition = ${if eq{$acl_c0}{spamtrap}{1}{0}}',
    '  headers_add = X-Spam-Blacklisted: $sender_host_address',
    '  data = ${lookup pgsql{SELECT destination FROM aliases \\',
    "         WHERE source='$local_part@$domain'}{$value}}",
    '  condition = ${lookup pgsql{Q_VALID_EMAIL}}',
    '  cannot_route_message = Unknown user',
    '  environment = EXTENSION=${substr_1:$local_part_suffix}',
    "              WHERE email='$local_part@$domain' AND mail='t'}{$value}}/.Junk",
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
});

test('an alias with several addresses, a suffix, and a user who gets no mail', () => {
  const before = [inbox('ann').length, inbox('postmaster').length];
  send('sales@mail.example');
  assert.equal(inbox('ann').length, (before[0] ?? 0) + 1);
  assert.match(readFileSync(shipped.server.path('mail/filtered'), 'latin1'), /RECIPIENT=eric@mail\.example/);
  send('ann+lists@mail.example');
  assert.equal(inbox('ann').length, (before[0] ?? 0) + 2);
  send('root');
  assert.equal(inbox('postmaster').length, (before[1] ?? 0) + 1);
  assert.match(
    logOf(() => send('off@mail.example')),
    / \*\* off@mail\.example: Unknown user/,
  );
});

test('mail through the pipe: what the filter is told, what it says when it fails, and that it may ask to wait', () => {
  const log = logOf(() => send('eric+confirm.done.12.ab@mail.example', 'Subject: piped\n\nx\n'));
  assert.match(log, /=> \|\S+\/filter <eric\+confirm\.done\.12\.ab@mail\.example> R=virtual_aliases T=address_pipe/);
  const filtered = readFileSync(shipped.server.path('mail/filtered'), 'latin1');
  const told =
    /EXTENSION=confirm\.done\.12\.ab LOCAL_PART=eric DOMAIN=mail\.example SENDER=ann@mail\.example RECIPIENT=eric\+confirm\.done\.12\.ab@mail\.example HOME=\nFrom ann@mail\.example .*\nReturn-path: <ann@mail\.example>\n/;
  assert.match(filtered, told);
  assert.equal(statSync(shipped.server.path('mail/filtered')).uid, account.uid);
  const failed = logOf(() => send('eric+fail@mail.example'));
  assert.match(failed, /Child process of address_pipe transport returned 77 \(could mean permission denied\)/);
  assert.match(
    inbox('ann').join('\n'),
    /The following text was generated during the delivery attempt:[\s\S]*the filter says no/,
  );
  assert.match(
    logOf(() => send('eric+wait@mail.example')),
    /== \|\S+ <eric\+wait@mail\.example> .* defer /,
  );
});

test('mail of a blacklisted host goes to Junk with its address; the list is made by applyblacklist', () => {
  const mail = [
    'EHLO x.example',
    'MAIL FROM:<ann@mail.example>',
    'RCPT TO:<ann@mail.example>',
    'DATA',
    'Subject: listed?',
    '',
    'x',
    '.',
    'QUIT',
  ];
  session('192.0.2.66', mail);
  const junk = inbox('ann', '.Junk/');
  assert.equal(junk.length, 1);
  assert.match(junk[0] ?? '', /^X-Spam-Blacklisted: 192\.0\.2\.66$/m);
  session('192.0.2.67', mail);
  assert.equal(inbox('ann', '.Junk/').length, 1);
  shipped.server.write('blacklist', '192.0.2.66\n192.0.2.67\n');
  const applied = spawnSync(shipped.server.path('applyblacklist'), [], { encoding: 'latin1' });
  assert.deepEqual(
    [applied.status, applied.stdout],
    [0, 'Building /32 hosts list...\nBuilding database...\n2 entries written\n'],
  );
  session('192.0.2.67', mail);
  assert.equal(inbox('ann', '.Junk/').length, 2);
});

test('only our networks may relay, and an unknown user is refused at RCPT', () => {
  const ask = (host: string): string[] =>
    session(host, [
      'EHLO x.example',
      'MAIL FROM:<ann@mail.example>',
      'RCPT TO:<x@[192.0.2.9]>',
      'RCPT TO:<no-one@mail.example>',
      'QUIT',
    ])
      .split('\r\n')
      .filter((line) => /^[25]5[0-9] (?!HELP|OK)/.test(line));
  assert.deepEqual(ask('198.51.100.1').slice(-1), ['550 Unknown user']);
});

test('without the database mail waits and RCPT is put off; when it is back everything arrives', async () => {
  await shipped.server.start();
  const client = await SmtpClient.greet(shipped.server.port);
  const before = inbox('ann').length;
  await client.say('MAIL FROM:<ann@mail.example>', 250);
  await shipped.database.kill();
  assert.match(await client.say('RCPT TO:<ann@mail.example>', 451), /451/);
  client.socket.destroy();
  assert.match(
    logOf(() => send('ann@mail.example')),
    /== ann@mail\.example .*defer/,
  );
  await shipped.database.start();
  const again = await SmtpClient.greet(shipped.server.port);
  await again.say('MAIL FROM:<ann@mail.example>', 250);
  await again.say('RCPT TO:<ann@mail.example>', 250);
  again.socket.destroy();
  shipped.server.run(['-odf', '-qff']);
  await waitFor('the message that waited arrives', () => inbox('ann').length > before);
  await shipped.server.stop();
});

test('tabella expire has the rules of the cron jobs', () => {
  const { status, stdout } = run('tabella', ['expire', '-v', '--dry-run', '-C', shipped.server.path('config')]);
  assert.equal(status, 0);
  assert.equal((stdout.match(/ 0 files of \d+ would be removed/g) ?? []).length, 4, stdout);
  assert.match(
    readFileSync(shipped.server.path('crontab'), 'latin1'),
    /^0 3 \* \* \* {2}nice -n 18 \S+\/bin\/tabella expire -C \S+\/exim\.conf$/m,
  );
});

if (isRoot) {
  test('root is let in through su; where the socket wants the user of the system to have the name of the role, TCP is taken', async () => {
    // as Debian sets PostgreSQL up
    const rules = shipped.server.write(
      'pg_hba.conf',
      'local all tester trust\nlocal all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n',
    );
    const port = await freePort();
    process.env['PGPORT'] = String(port);
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `hba_file=${rules}`];
    const database = await startPostgres('CREATE ROLE postgres SUPERUSER LOGIN', ...settings);
    try {
      chmodSync(database.directory, 0o755);
      const directory = shipped.server.path('debian');
      const words = ['--directory', directory, '--socket', database.directory, '--db-port', String(port)];
      const { status, stdout, stderr } = setup('postgresql', ...words);
      assert.equal(status, 0, stderr);
      const config = readFileSync(join(directory, 'exim.conf'), 'latin1');
      assert.match(config, new RegExp(`^hide pgsql_servers = "127\\.0\\.0\\.1::${port}/mail/exim/[0-9a-f]{40}"$`, 'm'));
      const line = /^ {2}(printf .* ann@mail\.example)$/m.exec(stdout)?.[1] ?? '';
      spawnSync('sh', ['-c', line]);
      assert.equal(readdirSync(join(directory, 'mail/mail.example/ann/new')).length, 1);
      // nobody's password counts now
      writeFileSync(rules, 'local all tester trust\nlocal all all peer\n');
      await database.kill();
      await database.start();
      rmSync(join(directory, 'exim.conf'));
      const refused = setup('postgresql', ...words);
      assert.equal(refused.status, 1);
      assert.match(
        refused.stderr,
        /takes no password of exim; put this line first in pg_hba\.conf.*\n {2}local {2}mail {2}exim {2}scram-sha-256/,
      );
    } finally {
      delete process.env['PGPORT'];
      await database.remove();
    }
  });

  test('the setup looks for PostgreSQL itself, and says so when none listens', () => {
    const { status, stderr } = setup('postgresql', '--directory', shipped.server.path('other'), '--db-port', '5999');
    assert.equal(status, 1);
    assert.match(stderr, /no PostgreSQL listens on a socket with port 5999/);
  });
}
