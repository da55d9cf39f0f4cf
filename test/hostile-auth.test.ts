/**
 * Hostile AUTH exchanges against the whole server, in the clear and over TLS: whatever is said, each command is answered
 * clearly, the server goes on, and its memory stays what it was. TABELLA_FUZZ_SEED repeats a run; a failure prints its seed.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { Closed } from './heard.ts';
import { TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const server = await TestServer.make();
const seed = Number(process.env['TABELLA_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const settings = { seed, numRuns: 60, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false };

before(async () => {
  server.configure({
    main: 'tls_advertise_hosts = *\nsmtp_accept_max_nonmail = 1000\nsmtp_max_synprot_errors = 1000',
    acl: '  accept authenticated = *\n  deny message = relay not permitted',
    retry: `* * F,2h,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{ann}}{eq{$auth3}{secret}}}{yes}{\${if eq{$auth2}{later}{please wait}{no}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{$auth1}{ann}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{$auth1}{ann}{secret}fail}
  server_set_id = $auth1
spa:
  driver = spa
  public_name = NTLM
  server_password = \${if eq{$auth1}{ann}{secret}fail}
  server_set_id = $auth1
external:
  driver = external
  public_name = EXTERNAL
  server_condition = \${if eq{$auth1}{nobody at all}}
  server_set_id = $auth1
`,
  });
  await server.start();
});
after(() => server.remove());

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const octets = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const withoutEnds = octets.map((text) => text.replace(/[\r\n]/g, ''));

/** What stands in the place of base64: right, broken, cut off, very long, or nothing. */
const data = fc.oneof(
  octets.map(base64),
  withoutEnds,
  octets.map((text) => base64(text).slice(0, -1)),
  fc.constantFrom(
    '',
    '=',
    '==',
    '*',
    ' ',
    '!!!',
    'AA==BB==',
    base64('\0\0'),
    base64('\0ann\0wrong'),
    base64('\0later\0x'),
  ),
  fc.integer({ min: 1000, max: 60_000 }).map((length) => 'A'.repeat(length)),
);
const mechanism = fc.oneof(
  fc.constantFrom('PLAIN', 'LOGIN', 'CRAM-MD5', 'EXTERNAL', 'plain', 'GSSAPI', 'NTLM', ''),
  withoutEnds.map((text) => text.replace(/[ \t\0]/g, '')),
);
const exchange = fc.record({ mechanism, initial: fc.option(data), answers: fc.array(data, { maxLength: 4 }) });

async function secured(): Promise<SmtpClient> {
  const plain = await SmtpClient.greet(server.port);
  await plain.say('STARTTLS', 220);
  const socket = connectTls({ socket: plain.socket, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const client = SmtpClient.over(socket);
  await client.say('EHLO c', 250);
  return client;
}

/** Answers that AUTH may have, all of them; a line that comes when nothing was asked for is a command that is unknown. */
const clear = /^(?:334 |435 |5\d\d[ -])/;

/** Says all of it; answers whether the server has closed. */
async function attempt(
  client: SmtpClient,
  { mechanism: name, initial, answers }: { mechanism: string; initial: string | null; answers: readonly string[] },
): Promise<boolean> {
  try {
    let answer = await client.say(`AUTH ${name}${initial === null ? '' : ` ${initial}`}`);
    assert.match(answer, clear);
    for (const text of answers) {
      if (!answer.startsWith('334')) break;
      answer = await client.say(text);
      assert.match(answer, clear);
    }
    // whatever state it is in, a star ends it
    if (answer.startsWith('334')) assert.match(await client.say('*'), /^5(?:01|35) /);
    return false;
  } catch (error) {
    if (error instanceof Closed) return true;
    throw error;
  }
}

/** Nobody who has not logged in may relay, whatever was said before. */
async function isNobody(client: SmtpClient): Promise<void> {
  assert.match(await client.say('NOOP'), /^250 /);
  await client.say('MAIL FROM:<a@b.example>', 250);
  await client.say('RCPT TO:<x@away.example>', 550);
  await client.say('RSET', 250);
}

describe(`hostile AUTH (seed ${seed})`, () => {
  for (const [where, open] of [
    ['in the clear', () => SmtpClient.greet(server.port)],
    ['over TLS', secured],
  ] as const) {
    it(`is answered clearly ${where}, and lets nobody in`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(exchange, { minLength: 1, maxLength: 2 }), async (exchanges) => {
          const client = await open();
          let closed = false;
          for (const each of exchanges) closed ||= await attempt(client, each);
          if (!closed) await isNobody(client);
          client.break();
          assert.ok(server.isRunning);
        }),
        settings,
      );
    });

    it(`leaves the server whole when clients go in the middle ${where}`, async () => {
      await fc.assert(
        fc.asyncProperty(exchange, async ({ mechanism: name, initial }) => {
          const client = await open();
          await client.send(`AUTH ${name}${initial === null ? '' : ` ${initial}`}\r\nhalf a li`);
          client.break();
          assert.ok(server.isRunning);
        }),
        { ...settings, numRuns: 30 },
      );
      const client = await open();
      assert.match(await client.say(`AUTH PLAIN ${base64('\0ann\0secret')}`), /^235 /);
      client.break();
    });
  }

  it('takes lines without end in bounded memory', async () => {
    const before = server.memory('VmRSS');
    const clients = await Promise.all(Array.from({ length: 10 }, () => SmtpClient.greet(server.port)));
    for (const client of clients) {
      await client.say('AUTH LOGIN', 334);
      for (let n = 0; n < 64; n++) await client.send('A'.repeat(64 * 1024));
    }
    const grown = server.memory('VmRSS') - before;
    assert.ok(grown < 20 * 1024, `${grown} kB more for 40 MB of a line`);
    for (const client of clients) {
      await client.send('\r\n');
      assert.match(await client.answer(), /^501 Invalid base64 data/);
      client.break();
    }
  });

  it('is written to the log on one line each, without what could forge another', async () => {
    const client = await SmtpClient.greet(server.port);
    await client.say(`AUTH PLAIN ${base64('\0ann\n2026-01-01 00:00:00 forged\0x')}`, 535);
    client.break();
    await waitFor('the line', () => server.log().includes('forged'));
    assert.doesNotMatch(server.log(), /^2026-01-01/m);
    assert.equal(server.log('panic'), '');
  });
});
