/** Options of TLS sessions that clients see: application protocols (tls_alpn, hosts_require_alpn). */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
});
after(() => server.remove());

async function serve(main: string): Promise<void> {
  await server.stop();
  server.configure({ main: `tls_advertise_hosts = *\n${main}` });
  await server.start();
}

/** Begins TLS; answers the protocol that was agreed on, or that the handshake failed. */
async function protocolFor(names: readonly string[]): Promise<string> {
  const client = await SmtpClient.greet(server.port);
  await client.say('STARTTLS', 220);
  const words = names.length === 0 ? {} : { ALPNProtocols: [...names] };
  const secured: TLSSocket = connect({ socket: client.socket, rejectUnauthorized: false, ...words });
  try {
    await once(secured, 'secureConnect');
    // with TLS 1.3 the server may say no after the client believes that all is well
    const over = SmtpClient.over(secured);
    await over.say('EHLO c.example', 250);
    return String(secured.alpnProtocol);
  } catch {
    return 'failed';
  } finally {
    secured.destroy();
  }
}

test('a client may name one protocol of tls_alpn, or none', async () => {
  await serve('');
  assert.equal(await protocolFor([]), 'false');
  assert.equal(await protocolFor(['smtp']), 'smtp');
  assert.equal(await protocolFor(['http/1.1']), 'failed');
  assert.equal(await protocolFor(['smtp', 'esmtp']), 'failed');
  await serve('tls_alpn = x-mail');
  assert.equal(await protocolFor(['x-mail']), 'x-mail');
  assert.equal(await protocolFor(['smtp']), 'failed');
});

test('a client of hosts_require_alpn must name one', async () => {
  await serve('hosts_require_alpn = 127.0.0.1');
  assert.equal(await protocolFor(['smtp']), 'smtp');
  assert.equal(await protocolFor([]), 'failed');
  await server.logs(/TLS error on connection from .* no application protocol was agreed on/);
});

test('a client that may name what it likes gets no protocol', async () => {
  await serve('tls_alpn =\ntls_dhparam = none');
  assert.equal(await protocolFor(['http/1.1', 'smtp']), 'false');
});
