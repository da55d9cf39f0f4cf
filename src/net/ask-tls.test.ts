/** A question over TLS, to a server of the test with a certificate that nobody vouches for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { askTls } from './ask-tls.ts';
import { selfSigned } from './self-signed.ts';
import { closedPort, TestServer } from './test-server.ts';

const question = { text: 'what?\n', timeout: 5, shutdown: false };

async function serve(script: (socket: TLSSocket) => void): Promise<{ port: number; close(): void }> {
  const { certificate, key } = await selfSigned('host.example');
  const options: TlsOptions = { cert: certificate, key };
  const server = createServer(options, script);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, close: () => server.close() };
}

test('the answer comes back over TLS, and the server hears which name is meant', async () => {
  let name: unknown;
  const server = await serve((socket) => {
    name = socket.servername;
    socket.once('data', (data) => socket.end(`you asked ${data.toString()}`));
  });
  const reply = await askTls({ address: '127.0.0.1', port: server.port }, question, 'host.example');
  server.close();
  assert.deepEqual(reply, { outcome: 'answered', text: 'you asked what?\n' });
  assert.equal(name, 'host.example');
});

test('a server that speaks no TLS, says nothing, or is not there', async () => {
  const plain = await TestServer.start((connection) => connection.say('220 hello'));
  const reply = await askTls({ address: '127.0.0.1', port: plain.port }, question, '');
  await plain.close();
  assert.equal(reply.outcome, 'failed');
  assert.match(reply.outcome === 'failed' ? reply.message : '', /^TLS connect failed: /);
  const silent = await serve(() => undefined);
  const late = await askTls({ address: '127.0.0.1', port: silent.port }, { ...question, timeout: 1 }, '');
  silent.close();
  assert.deepEqual(late, { outcome: 'failed', message: 'socket read timed out' });
  const nobody = await askTls({ address: '127.0.0.1', port: await closedPort() }, question, '');
  assert.deepEqual(nobody, { outcome: 'not connected', reason: 'Connection refused' });
});
