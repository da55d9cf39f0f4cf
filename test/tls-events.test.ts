/** Events about TLS with clients: each certificate they show, with objections, and what did not begin (Exim spec 61). */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';
import { TestAuthority } from './test-certificates.ts';

let server: TestServer;
let own: { readonly cert: string; readonly key: Buffer };
let authority: string;

before(async () => {
  server = await TestServer.make();
  const authorities = new TestAuthority(server.makeDirectory('certificates'));
  authority = authorities.certificate;
  const file = authorities.issue('client.pem', '/CN=client.example', 'DNS:client.example');
  own = {
    cert: `${readFileSync(file, 'utf8')}${readFileSync(authority, 'utf8')}`,
    key: readFileSync(`${file}.key`),
  };
});
after(() => server.remove());

async function serve(main = ''): Promise<void> {
  await server.stop();
  server.configure({
    main: `tls_advertise_hosts = *
tls_verify_certificates = ${authority}
tls_try_verify_hosts = *
event_action = \${acl{told}}
${main}`,
    acl: `  accept
told:
  warn condition = \${if match{$event_name}{^tls:}}
       logwrite = $event_name <$event_data> \${certextract{subject}{$tls_in_peercert}} $sender_helo_name
  accept condition = \${if eq{$event_name:$event_data}{OBJECTED}}
         message = not this one
  accept message =`,
  });
  await server.start();
}

/** Begins TLS with our certificate; answers whether the server goes on then. */
async function isServed(): Promise<boolean> {
  const client = await SmtpClient.greet(server.port);
  await client.say('STARTTLS', 220);
  const secured = connect({ socket: client.socket, rejectUnauthorized: false, ...own });
  secured.on('error', () => undefined);
  try {
    await once(secured, 'secureConnect');
    await SmtpClient.over(secured).say('EHLO client.example', 250);
    return true;
  } catch {
    return false;
  } finally {
    secured.destroy();
  }
}

const events = (): string[] => server.log('main').match(/tls:.*|SSL verify.*|TLS error.*/g) ?? [];

test('each certificate of a client is told of, that of its authority first, before it counts', async () => {
  await serve('OBJECTED = none');
  assert.equal(await isServed(), true);
  assert.deepEqual(events(), [
    'tls:cert <1> CN=Test authority client.example',
    'tls:cert <0> CN=client.example client.example',
  ]);
});

test('an objection to a certificate ends TLS, and so is told that it did not begin', async () => {
  await serve('OBJECTED = tls:cert:0');
  const before = events().length;
  assert.equal(await isServed(), false);
  await server.logs(/TLS error on connection/);
  assert.deepEqual(events().slice(before), [
    'tls:cert <1> CN=Test authority client.example',
    'tls:cert <0> CN=client.example client.example',
    'SSL verify denied by event-action: depth=0: not this one',
    'tls:fail:connect <(SSL_accept): certificate denied by event_action>  client.example',
    'TLS error on connection from (client.example) [127.0.0.1] (SSL_accept): certificate denied by event_action',
  ]);
});

test('a client that speaks no TLS behind STARTTLS is told of', async () => {
  await serve('OBJECTED = none');
  const client = await SmtpClient.greet(server.port);
  await client.say('STARTTLS', 220);
  await client.send('no hello at all\r\n');
  await server.logs(/tls:fail:connect <\(SSL_accept\): wrong version number> {2}client\.example/);
});
