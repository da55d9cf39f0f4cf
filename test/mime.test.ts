/** MIME ACLs in whole sessions: limits, files that go again, and memory; what parts are found is in the golden cases. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
  server.configure({
    main: 'acl_smtp_mime = mime\nacl_smtp_data = data',
    acl: [
      ...['  accept', 'mime:', '  warn decode = default', '  deny mime_regex = unwanted', '    message = not this one'],
      ...['  accept', 'data:', '  accept logwrite = counted $mime_part_count', ''],
    ].join('\n'),
  });
  await server.start();
});
after(() => server.remove());

async function send(message: string): Promise<string> {
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<a@y.example>', 250);
  await client.say('RCPT TO:<ann@x.example>', 250);
  await client.say('DATA', 354);
  await client.send(`${message.replaceAll('\n', '\r\n')}\r\n.\r\n`);
  // ten thousand parts are ten thousand files, and the machine may have more to do
  const answer = await client.answer(120);
  await client.say('QUIT', 221);
  return answer.trim();
}

const multipart = (parts: readonly string[]): string =>
  `Content-Type: multipart/mixed; boundary=b\n\n${parts.map((part) => `--b\n${part}\n`).join('')}--b--`;

const scanDirectory = (): string[] =>
  existsSync(server.path('spool/scan')) ? readdirSync(server.path('spool/scan')) : [];

test('a part that the ACL does not want refuses the message, and no file stays', async () => {
  const wanted = '\nwanted';
  const attached = 'Content-Type: message/rfc822\n\nSubject: x\n\nit is unwanted';
  assert.match(await send(multipart([wanted, wanted])), /^250 OK/);
  await server.logs(/counted 2/);
  assert.equal(await send(multipart([wanted, attached])), '550 not this one');
  const encoded = `Content-Transfer-Encoding: base64\n\n${Buffer.from('unwanted').toString('base64')}`;
  assert.equal(await send(multipart([wanted, encoded])), '550 not this one');
  assert.deepEqual(scanDirectory(), []);
});

test('a message with more parts than are looked at, or deeper ones, is refused', { timeout: 300_000 }, async () => {
  const refusal = '550 This message has too many MIME parts';
  assert.match(await send(multipart(Array.from({ length: 50 }, () => '\nx'))), /^250 OK/);
  assert.equal(await send(multipart(Array.from({ length: 10_000 }, () => '\nx'))), refusal);
  const attached = (depth: number): string => 'Content-Type: message/rfc822\n\n'.repeat(depth);
  assert.match(await send(`${attached(20)}\nx`), /^250 OK/);
  assert.equal(await send(`${attached(22)}\nx`), refusal);
  await server.logs(/rejected during MIME ACL checks: more MIME parts/);
  assert.deepEqual(scanDirectory(), []);
});

test('memory does not grow with the size of a part', { timeout: 120_000 }, async () => {
  const line = `${'YWJj'.repeat(18)}\n`;
  const large = `Content-Transfer-Encoding: base64\n\n${line.repeat(400_000)}`;
  assert.match(await send(multipart(['\nsmall'])), /^250 OK/);
  const before = server.memory('VmHWM');
  assert.match(await send(multipart([large])), /^250 OK/);
  assert.ok(server.memory('VmHWM') - before < 24 * 1024, `${server.memory('VmHWM') - before} kB more`);
});
