/**
 * Messages that the next host has before the client is answered (control = cutthrough_delivery): where that would lose
 * mail, or send it to somebody who was refused, the message goes the ordinary way. What is like Exim is in the golden cases.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestServer as Host } from '../src/net/test-server.ts';
import { mailServer } from '../src/smtp/test-mail-server.ts';
import { account, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const arrived: string[] = [];
const host = await Host.start(
  mailServer({ '.': (_, message) => (message.includes('Subject: fall silent') ? undefined : '250 OK') }, arrived),
);
let server: TestServer;
/** A host that speaks TLS. */
let next: TestServer;

before(async () => {
  next = await TestServer.make();
  next.configure({ main: 'tls_advertise_hosts = *', acl: '  accept' });
  await next.start();
  server = await TestServer.make();
  server.makeDirectory('boxes');
  server.configure({
    acl: `  warn control = cutthrough_delivery
  require verify = recipient/callout=use_sender,no_cache
  deny local_parts = refused
  accept
`,
    routers: `
copy:
  driver = accept
  local_parts = copied
  unseen
  transport = box
here:
  driver = accept
  domains = here.example
  transport = box
secure:
  driver = manualroute
  domains = x.example
  route_data = 127.0.0.1
  self = send
  transport = tls
away:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = smtp
`,
    transports: `
smtp:
  driver = smtp
  port = ${host.port}
  allow_localhost
  final_timeout = 2s
tls:
  driver = smtp
  port = ${next.port}
  allow_localhost
  hosts_require_tls = *
box:
  driver = appendfile
  file = ${server.path('boxes')}/box
  user = ${account.user}
`,
  });
  await server.start();
});
after(async () => {
  await host.close();
  await server.remove();
  await next.remove();
});

async function send(subject: string, recipients: readonly string[], body = 'text\r\n'): Promise<string> {
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<ann@x.example>', 250);
  for (const recipient of recipients) await client.say(`RCPT TO:<${recipient}>`);
  await client.say('DATA', 354);
  const answer = await client.say(`Subject: ${subject}\r\n\r\n${body}.`);
  await client.say('QUIT', 221);
  return answer;
}

const linesAbout = (pattern: string): string[] => server.log().match(new RegExp(`^.* ${pattern}.*$`, 'gm')) ?? [];

test('the host has a large message whole when the client hears that it was taken', async () => {
  const line = `${'0123456789'.repeat(7)}\r\n`;
  const body = line.repeat(20_000);
  assert.match(await send('large', ['bob@away.example'], body), /^250 OK id=/);
  const message = arrived.find((each) => each.includes('Subject: large')) ?? '';
  assert.equal(message.split('\n').filter((each) => each.startsWith('0123456789')).length, 20_000);
  assert.equal(linesAbout('>> bob@away.example').length, 1);
  assert.deepEqual(server.queue, []);
});

test('a recipient here is not forgotten beside one elsewhere', async () => {
  await send('both', ['eve@away.example', 'dan@here.example']);
  await server.logs(/=> dan <dan@here\.example>/);
  await server.logs(/=> eve@away\.example/);
  assert.equal(linesAbout('>> eve@away.example').length, 0);
});

test('a copy that a router with unseen takes is made', async () => {
  await send('copy', ['copied@away.example']);
  await server.logs(/=> copied <copied@away\.example> R=copy/);
  await server.logs(/=> copied@away\.example R=away/);
});

test('who was refused after the callout does not get the message', async () => {
  const before = arrived.length;
  await send('refused', ['refused@away.example', 'fay@away.example']);
  await server.logs(/=> fay@away\.example/);
  await waitFor('the message arrives', () => arrived.length === before + 1);
  assert.equal(linesAbout('(?:>>|=>|->) refused@away.example').length, 0);
});

test('a message about which the host falls silent is kept', async () => {
  assert.match(await send('fall silent', ['gus@away.example']), /^250 OK id=/);
  assert.equal(linesAbout('>> gus@away.example').length, 0);
  assert.equal(server.queue.filter((name) => name.endsWith('-H')).length, 1);
});

test('over TLS the message is cut through as well; the line of the first recipient tells of it', async () => {
  assert.match(await send('secret', ['ann@x.example', 'ben@x.example']), /^250 OK id=/);
  await next.logs(/<= ann@x\.example .* P=esmtps X=/);
  assert.match(linesAbout('>> ann@x.example').join(''), / X=TLS1\.3:\S+ CV=no C="250 OK id=/);
  assert.match(linesAbout('>> ben@x.example').join(''), /\] C="250 OK id=/);
});
