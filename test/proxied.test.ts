/** Sessions that a proxy brings (hosts_proxy): who is the client, and what a proxy gets that does not say. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
  server.configure({
    main: [
      ...['hosts_proxy = 127.0.0.1', 'proxy_protocol_timeout = 1s', 'log_selector = +proxy +smtp_connection'],
      ...['acl_smtp_mail = mail', 'tls_advertise_hosts ='],
    ].join('\n'),
    acl: [...['  accept', 'mail:', '  accept message = $sender_host_address:$sender_host_port $proxy_session ']]
      .join('\n')
      .concat('$proxy_local_address $proxy_external_address:$proxy_external_port\n'),
  });
  await server.start();
});
after(() => server.remove());

test('the client is the one behind the proxy, in ACLs and logs', async () => {
  const client = await SmtpClient.open(server.port);
  await client.send('PROXY TCP4 192.0.2.7 198.51.100.1 1025 25\r\n');
  await client.expect(220);
  assert.match(await client.say('EHLO c.example', 250), /Hello c\.example \[192\.0\.2\.7\]/);
  const said = await client.say('MAIL FROM:<a@y.example>', 250);
  assert.equal(said.trim(), '250 192.0.2.7:1025 yes 127.0.0.1 198.51.100.1:25');
  await client.say('RCPT TO:<ann@x.example>', 250);
  await client.say('DATA', 354);
  await client.say('Subject: x\r\n\r\nx\r\n.', 250);
  await client.say('QUIT', 221);
  await server.logs(/<= a@y\.example H=\(c\.example\) \[192\.0\.2\.7\] P=esmtp PRX=127\.0\.0\.1 S=/);
  await server.logs(/SMTP connection from \[127\.0\.0\.1\]/);
});

test('a proxy that speaks for itself is the client', async () => {
  const client = await SmtpClient.open(server.port);
  await client.send('PROXY UNKNOWN\r\n');
  await client.expect(220);
  assert.match(await client.say('EHLO c.example', 250), /\[127\.0\.0\.1\]/);
  assert.match(await client.say('MAIL FROM:<a@y.example>', 250), /yes {2}:0/);
  await client.say('QUIT', 221);
});

test('who does not say for whom it speaks gets nothing done', async () => {
  const client = await SmtpClient.open(server.port);
  await client.expect(220);
  for (const command of ['EHLO c.example', 'MAIL FROM:<a@y.example>']) {
    assert.equal((await client.say(command)).trim(), '503 Command refused, required Proxy negotiation failed');
  }
  await client.say('QUIT', 221);
});
