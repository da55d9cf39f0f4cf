/**
 * Content scanning by the real scanners: SpamAssassin's spamd, with a rule of the test, and ClamAV's clamd, with a
 * signature of the test. Both listen on 127.0.0.1 and on no other address.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { account, isRoot, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const daemons: ChildProcess[] = [];
let server: TestServer;
let clamdPort: number;
let spamdPort: number;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ port, host: '127.0.0.1' });
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

/** Starts a daemon that stays in the foreground, as the server's user. */
function start(program: string, ...words: readonly string[]): void {
  const rights = isRoot ? { uid: account.uid, gid: account.gid } : {};
  const environment = { PATH: '/usr/bin:/bin:/usr/sbin', HOME: server.directory };
  daemons.push(spawn(program, words, { stdio: 'ignore', env: environment, ...rights }));
}

before(async () => {
  server = await TestServer.make();
  clamdPort = await freePort();
  spamdPort = await freePort();
  for (const name of ['signatures', 'rules', 'state']) server.makeDirectory(name);
  // the text TABELLA-TEST-VIRUS, wherever it stands
  const signature = Buffer.from('TABELLA-TEST-VIRUS').toString('hex');
  server.write('signatures/test.ndb', `Tabella.Test:0:*:${signature}\n`);
  server.write(
    'clamd.conf',
    `DatabaseDirectory ${server.path('signatures')}\nTCPSocket ${clamdPort}\nTCPAddr 127.0.0.1\nLocalSocket ${server.path('clamd')}\nForeground yes\n`,
  );
  server.write(
    'rules/test.cf',
    'body TABELLA_SPAM /cheap watches/\nscore TABELLA_SPAM 12.5\ndescribe TABELLA_SPAM Offers watches\n',
  );
  server.write('rules/init.pre', 'loadplugin Mail::SpamAssassin::Plugin::Check\n');
  start('clamd', '--config-file', server.path('clamd.conf'));
  start(
    'spamd',
    '--local',
    '--nouser-config',
    '--listen',
    `127.0.0.1:${spamdPort}`,
    '--max-children',
    '1',
    '--syslog',
    'null',
    '--configpath',
    server.path('rules'),
    '--siteconfigpath',
    server.path('rules'),
    '--helper-home-dir',
    server.path('state'),
  );
  await waitFor('clamd listens', () => listens(clamdPort), 60);
  await waitFor('spamd listens', () => listens(spamdPort), 60);
});

after(async () => {
  for (const daemon of daemons) daemon.kill();
  await server.remove();
});

/** Sends a message with this body; answers what the server said to it. */
async function send(body: string): Promise<string> {
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<ann@y.example>', 250);
  await client.say('RCPT TO:<ann@x.example>', 250);
  await client.say('DATA', 354);
  const answer = await client.say(`Subject: about us\r\n\r\n${body}\r\n.`);
  await client.say('QUIT', 221);
  return answer;
}

async function serve(main: string, acl: string): Promise<void> {
  await server.stop();
  server.configure({ main: `${main}\nacl_smtp_data = data`, acl: `  accept\ndata:\n${acl}` });
  await server.start();
}

const scanDirectory = (): string[] =>
  existsSync(server.path('spool/scan')) ? readdirSync(server.path('spool/scan')) : [];

for (const way of ['network', 'socket', 'local'] as const) {
  test(`clamd finds a virus (${way}), and nothing where there is none`, async () => {
    const place = {
      network: `127.0.0.1 ${clamdPort}`,
      socket: server.path('clamd'),
      local: `127.0.0.1 ${clamdPort}:local`,
    }[way];
    await serve(`av_scanner = clamd:${place}`, '  deny malware = *\n    message = contains $malware_name\n  accept');
    assert.match(await send('a TABELLA-TEST-VIRUS within'), /^550 contains Tabella\.Test\.UNOFFICIAL/);
    assert.match(await send('nothing within'), /^250 OK/);
    assert.deepEqual(scanDirectory(), []);
  });
}

test('spamd tells spam from other mail, and what it says can be used and is kept with the message', async () => {
  await serve(
    `spamd_address = 127.0.0.1 ${spamdPort}`,
    `  deny spam = nobody
    message = $spam_score of 5, $spam_score_int, $spam_bar, $spam_action
  warn spam = nobody:true
    add_header = X-Spam: $spam_score ($spam_bar) $spam_action
  accept`,
  );
  assert.match(await send('buy cheap watches'), /^550 12\.5 of 5, 125, \+{12}, reject/);
  assert.match(await send('a letter'), /^250 OK/);
  await server.logs(/Completed/);
  assert.match(server.mail('ann').join(''), /^X-Spam: 0\.0 \(\/\) no action$/m);
});

test('a scanner that is not there defers', async () => {
  await serve(`spamd_address = ${server.path('nosuch')}`, '  deny spam = nobody\n  accept');
  assert.match(await send('a letter'), /^451 Temporary local problem/);
  await server.logs(
    /spam acl condition: spamd: unable to connect to UNIX socket \(.*nosuch\): No such file or directory/,
  );
  await server.logs(/spam acl condition: all spamd servers failed/);
});

test('control = no_mbox_unspool leaves the copy that scanners saw', async () => {
  await serve(
    `av_scanner = cmdline:/bin/grep -c Subject %s/*.eml:^1:(never)`,
    '  warn control = no_mbox_unspool\n  deny malware = *\n  accept',
  );
  assert.match(await send('x'), /^550/);
  assert.equal(scanDirectory().length, 1);
});
