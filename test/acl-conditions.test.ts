/**
 * ACL conditions in whole sessions: in which ACLs they may stand, what they remember across sessions and restarts, and how
 * clients are slowed down. The texts are those of Exim 4.96.
 */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
});
afterEach(() => server.stop('SIGKILL'));
after(() => server.remove());

/** What a test session from 192.0.2.7 logs about the ACL of one phase. */
function session(phase: 'connect' | 'helo' | 'mail' | 'rcpt' | 'predata' | 'data' | 'quit', statement: string): string {
  const acl = phase === 'rcpt' ? `  ${statement}\n  accept` : `  accept\nprobe:\n  ${statement}\n  accept`;
  server.configure({ main: phase === 'rcpt' ? '' : `acl_smtp_${phase} = probe`, acl });
  const input = 'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<u@d.test>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n';
  const { stderr } = server.run(['-bh', '192.0.2.7'], input);
  return stderr
    .split('\n')
    .filter((line) => /LOG: .*(?:cannot test|error in arguments|Warning|not in this)/.test(line))
    .map((line) => line.replace(/^.*?(?=cannot|error in|Warning)/, ''))
    .join('\n');
}

const forbidden: readonly (readonly [condition: string, phases: readonly Parameters<typeof session>[0][]])[] = [
  ['regex = foo', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'quit']],
  ['spam = nobody', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'quit']],
  ['malware = *', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'quit']],
  ['mime_regex = foo', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'data', 'quit']],
  ['decode = default', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'data', 'quit']],
  ['dkim_signers = x', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'data', 'quit']],
  ['dkim_status = none', ['connect', 'helo', 'mail', 'rcpt', 'predata', 'data', 'quit']],
  ['spf = pass', ['connect', 'helo']],
  ['spf_guess = pass', ['connect', 'helo']],
];
const names = {
  connect: 'connection',
  helo: 'EHLO or HELO',
  mail: 'MAIL',
  rcpt: 'RCPT',
  predata: 'PREDATA',
  data: 'DATA',
  quit: 'QUIT',
};

for (const [condition, phases] of forbidden) {
  test(`${condition} is refused where it makes no sense`, () => {
    const word = condition.split(' ')[0];
    for (const phase of phases) {
      const expected = `cannot test ${word} condition in ${names[phase]} ACL`;
      assert.equal(session(phase, `warn ${condition}`), expected, phase);
    }
  });
}

test('a condition of a feature that is not there is false, and its negation true', () => {
  assert.equal(session('mail', 'warn spf = pass\n    log_message = yes'), '');
  assert.equal(session('mail', 'warn !spf = pass\n    log_message = yes'), 'Warning: yes');
});

test('ratelimit: a sender who is too fast is refused, in other sessions and after a restart, too', async () => {
  const text = '$sender_rate of $sender_rate_limit in $sender_rate_period';
  server.configure({
    acl: `  deny ratelimit = 2.5 / 1h / per_rcpt / strict / $sender_address\n    message = ${text}\n  accept domains = x.example`,
  });
  await server.start();
  const recipient = async (sender: string): Promise<string> => {
    const client = await SmtpClient.greet(server.port);
    await client.say(`MAIL FROM:<${sender}>`, 250);
    const answer = await client.say('RCPT TO:<ann@x.example>');
    await client.say('QUIT', 221);
    return answer;
  };
  assert.match(await recipient('a@y.example'), /^250/);
  assert.match(await recipient('a@y.example'), /^250/);
  assert.match(await recipient('a@y.example'), /^550 3\.0 of 2\.5 in 1h/);
  assert.match(await recipient('b@y.example'), /^250/);
  await server.stop();
  await server.start();
  assert.match(await recipient('a@y.example'), /^550 4\.0 of 2\.5 in 1h/);
  await server.stop();
});

test('seen: the first try is put off, the next one after a while is not', async () => {
  server.configure({ acl: '  defer !seen = -1s / key=$sender_address\n  accept domains = x.example' });
  await server.start();
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<a@y.example>', 250);
  assert.match(await client.say('RCPT TO:<ann@x.example>'), /^451/);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assert.match(await client.say('RCPT TO:<ann@x.example>'), /^250/);
  await client.say('QUIT', 221);
  await server.stop();
});

test('smtp_ratelimit_*: commands of a client that is too fast are answered later and later', async () => {
  server.configure({
    main: 'smtp_ratelimit_hosts = *\nsmtp_ratelimit_rcpt = 1,0.3s,2,1m',
  });
  await server.start();
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<a@y.example>', 250);
  const began = performance.now();
  for (let i = 0; i < 3; i++) await client.say('RCPT TO:<ann@x.example>', 250);
  assert.ok(performance.now() - began >= 890, 'two delays of 0.3 and 0.6 seconds');
  await client.say('QUIT', 221);
  await server.stop();
});
