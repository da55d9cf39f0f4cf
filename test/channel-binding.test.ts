/** Logins that are bound to their TLS connection (gsasl, SCRAM-…-PLUS): our transport at our server, and with somebody between them. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, createServer, type Server } from 'node:tls';
import type { AuthenticatorInstance } from '../src/authenticators/authenticator.ts';
import { authenticatorCommonOptions } from '../src/authenticators/common-options.ts';
import { gsasl } from '../src/authenticators/gsasl.ts';
import { gsaslOptions } from '../src/authenticators/gsasl-options.ts';
import { freePort } from '../src/lookups/test-servers.ts';
import { smtp } from '../src/transports/smtp.ts';
import { smtpOptions } from '../src/transports/smtp-options.ts';
import {
  addressed,
  host,
  optionsWith,
  requestFor,
  TestMessage,
  TestServices,
} from '../src/transports/test-delivery.ts';
import { TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';
import { TestAuthority } from './test-certificates.ts';

let server: TestServer;
let between: Server;
const securePort = await freePort();
const mechanisms = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];

before(async () => {
  server = await TestServer.make();
  const authority = new TestAuthority(server.makeDirectory('certificates'));
  const own = authority.issue('own.pem', '/CN=mx.x.example', 'DNS:mx.x.example');
  const key = server.write('own.key', readFileSync(`${own}.key`), 0o600);
  const authenticators = mechanisms.map(
    (name) => `${name.replaceAll('-', '_')}:
  driver = gsasl
  public_name = ${name}
  server_channelbinding
  server_password = secret
  server_set_id = $auth1
`,
  );
  server.configure({
    main: `tls_advertise_hosts = *
tls_certificate = ${own}
tls_privatekey = ${key}
tls_on_connect_ports = ${securePort}
daemon_smtp_ports = ${securePort}`,
    acl: '  deny !authenticated = *\n  accept',
    retry: `* * F,2h,15m\nbegin authenticators\n${authenticators.join('')}`,
  });
  await server.start(['-oX', `127.0.0.1.${server.port} : 127.0.0.1.${securePort}`]);
  // whoever has a certificate that the client believes can sit there
  between = createServer({ cert: readFileSync(own), key: readFileSync(key) }, (client) => {
    const onward = connect({ port: securePort, rejectUnauthorized: false });
    client.pipe(onward).pipe(client);
    for (const end of [client, onward]) end.on('error', () => undefined);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
});
after(async () => {
  between.close();
  await server.remove();
});

/** Delivers with a login by this mechanism; answers who we are there, or what went wrong. */
async function deliver(
  name: string,
  port: number,
  settings: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const values = { client_username: 'ann', client_password: 'secret', client_channelbinding: 'true', ...more };
  const options = optionsWith(gsaslOptions, values);
  const common = optionsWith(authenticatorCommonOptions, { public_name: name });
  const instance: AuthenticatorInstance = {
    ...gsasl.make(options, common),
    ...{ name: 'scram', driver: gsasl, common, options, set: new Set(), hidden: new Set() },
  };
  const message = new TestMessage();
  const services = Object.assign(new TestServices(), { authenticators: [instance] });
  const chosen = optionsWith(smtpOptions, { helo_data: 'me.example', hosts_require_auth: '*', ...settings });
  const worker = smtp.make(chosen, requestFor(message).common, new Set(Object.keys(settings)));
  assert.equal(worker.style, 'remote');
  try {
    const hosts = [host('127.0.0.1', port)];
    const [outcome] = await worker.deliver(
      requestFor(message, { hosts, addresses: addressed('ann@x.example') }),
      services,
    );
    assert.ok(outcome);
    const { result } = outcome;
    const told =
      result.outcome === 'delivered' ? `delivered ${result.authenticator}` : `${result.code}: ${result.message}`;
    return [told, ...services.logged.filter((line) => line.includes('failed'))].join('; ');
  } finally {
    message.close();
  }
}

test('a login is bound to the connection, with either version of TLS', async () => {
  for (const mechanism of mechanisms) {
    assert.equal(await deliver(mechanism, server.port), 'delivered scram', mechanism);
    const old = { tls_require_ciphers: 'NORMAL:-VERS-TLS1.3' };
    assert.equal(await deliver(mechanism, server.port, old), 'delivered scram', mechanism);
    assert.match(
      await deliver(mechanism, server.port, {}, { client_password: 'x' }),
      /^-42: .* failed .*535/s,
      mechanism,
    );
  }
  await server.logs(/X=TLS1\.2:.* A=SCRAM_SHA_256_PLUS:ann/);
  await server.logs(/X=TLS1\.3:.* A=SCRAM_SHA_256_PLUS:ann/);
});

test('somebody who stands between the two ends cannot pass a bound login on', async () => {
  const { port } = between.address() as AddressInfo;
  const settings = { protocol: 'smtps' };
  assert.equal(await deliver('SCRAM-SHA-256-PLUS', securePort, settings), 'delivered scram');
  assert.equal(await deliver('SCRAM-SHA-256', port, settings), 'delivered scram');
  assert.match(await deliver('SCRAM-SHA-256-PLUS', port, settings), /^-42: .* failed .*535/s);
  const old = { ...settings, tls_require_ciphers: 'NORMAL:-VERS-TLS1.3' };
  assert.match(await deliver('SCRAM-SHA-256-PLUS', port, old), /^-42: .* failed .*535/s);
});

test('without TLS nothing can be bound: our side tries no such login, and the server puts it off', async () => {
  const clear = { hosts_avoid_tls: '*' };
  assert.match(await deliver('SCRAM-SHA-256-PLUS', server.port, clear), /^-42: .*no common mechanisms were found$/);
  const unbound = { client_channelbinding: 'false' };
  assert.match(
    await deliver('SCRAM-SHA-256-PLUS', server.port, {}, unbound),
    /^-42: .*no common mechanisms were found$/,
  );
  const client = await SmtpClient.greet(server.port);
  await client.say('AUTH SCRAM-SHA-256-PLUS', 435);
  await server.logs(/435 .*there is no TLS connection to bind the login to/);
});

test('a client that was told that we cannot bind a login is refused where we can', async () => {
  const open = async (first: string): Promise<string> => {
    const plain = await SmtpClient.greet(server.port);
    await plain.say('STARTTLS', 220);
    const secured = connect({ socket: plain.socket, rejectUnauthorized: false });
    await once(secured, 'secureConnect');
    const client = SmtpClient.over(secured);
    await client.say('EHLO c', 250);
    return client.say(`AUTH SCRAM-SHA-256 ${Buffer.from(`${first},,n=ann,r=abcdef`).toString('base64')}`);
  };
  assert.match(await open('n'), /^334 /);
  assert.match(await open('y'), /^535 /);
  assert.match(await open('p=tls-exporter'), /^535 /);
});
