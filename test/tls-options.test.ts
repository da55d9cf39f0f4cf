/** Options of TLS sessions: application protocols (tls_alpn, hosts_require_alpn), and sessions that are taken up again. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { groupParameters } from '../src/net/dh-groups.ts';
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

/** Connects twice, the second time with the session of the first; answers whether that was taken up. */
async function isTakenUp(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<boolean> {
  let session: Buffer | undefined;
  let isReused = false;
  for (let round = 0; round < 2; round++) {
    const client = await SmtpClient.greet(server.port);
    await client.say('STARTTLS', 220);
    const words = session === undefined ? {} : { session };
    const secured = connect({ socket: client.socket, rejectUnauthorized: false, maxVersion, ...words });
    secured.on('session', (next: Buffer) => {
      session = next;
    });
    await once(secured, 'secureConnect');
    isReused = secured.isSessionReused();
    const over = SmtpClient.over(secured);
    await over.say('EHLO c.example', 250);
    await over.say('MAIL FROM:<a@y.example>', 250);
    await over.say('RCPT TO:<ann@x.example>', 250);
    await over.say('DATA', 354);
    await over.say('Subject: x\r\n\r\nx\r\n.', 250);
    await over.say('QUIT', 221);
  }
  return isReused;
}

test('only hosts of tls_resumption_hosts take a session up again', async () => {
  await serve('');
  assert.equal(await isTakenUp('TLSv1.3'), false);
  await serve('tls_resumption_hosts = 127.0.0.1\nlog_selector = +tls_resumption');
  assert.equal(await isTakenUp('TLSv1.3'), true);
  await server.logs(/<= a@y\.example .* X=TLS1\.3:\w+:\d+\* /);
  assert.equal(await isTakenUp('TLSv1.2'), true);
  await serve('tls_resumption_hosts = *\ntls_try_verify_hosts = *');
  assert.equal(await isTakenUp('TLSv1.3'), false);
});

test('the transport takes a session up again at hosts of its tls_resumption_hosts', async () => {
  await serve('tls_resumption_hosts = *');
  for (const [settings, reused] of [
    [{ tls_resumption_hosts: '*' }, [false, true]],
    // what the server calls itself makes it another one
    [{ tls_resumption_hosts: '*', host_name_extract: '${if match{$item}{\\N^250-(\\S+)\\N}{$1}}' }, [false, true]],
    [{}, [false, false]],
  ] as const) {
    const seen: boolean[] = [];
    for (let round = 0; round < 2; round++) {
      const message = new TestMessage();
      const options = optionsWith(smtpOptions, { helo_data: 'me.example', ...settings });
      const worker = smtp.make(options, requestFor(message).common, new Set());
      assert.equal(worker.style, 'remote');
      const hosts = [host('127.0.0.1', server.port)];
      const request = requestFor(message, { hosts, addresses: addressed('ann@x.example') });
      const [outcome] = await worker.deliver(request, new TestServices());
      assert.equal(outcome?.result.outcome, 'delivered');
      seen.push(outcome.result.tls?.resumed ?? false);
      message.close();
    }
    assert.deepEqual(seen, reused);
  }
});

/** What a client that asks for it gets as proof that the certificate still holds. */
async function proof(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  const client = await SmtpClient.greet(server.port);
  await client.say('STARTTLS', 220);
  const secured = connect({ socket: client.socket, rejectUnauthorized: false, requestOCSP: true, maxVersion });
  const answer = once(secured, 'OCSPResponse') as Promise<[Buffer | null]>;
  await once(secured, 'secureConnect');
  const [octets] = await answer;
  const over = SmtpClient.over(secured);
  await over.say('EHLO c.example', 250);
  secured.destroy();
  return octets?.toString('latin1') ?? 'none';
}

test('the proof of tls_ocsp_file is shown to clients that ask for it', async () => {
  await serve('');
  assert.equal(await proof('TLSv1.3'), 'none');
  const file = server.write('proof.der', 'a proof');
  await serve(`tls_ocsp_file = ${file}`);
  assert.equal(await proof('TLSv1.3'), 'a proof');
  assert.equal(await proof('TLSv1.2'), 'a proof');
  server.write('proof.pem', '-----BEGIN OCSP RESPONSE-----\nYSBwcm9vZg==\n-----END OCSP RESPONSE-----\n');
  await serve(`tls_ocsp_file = PEM ${server.path('proof.pem')}`);
  assert.equal(await proof('TLSv1.3'), 'a proof');
});

test('without the file of tls_ocsp_file there is no TLS, and the log says why', async () => {
  await serve(`tls_ocsp_file = ${server.path('nosuch')}`);
  const client = await SmtpClient.greet(server.port);
  assert.match(await client.say('STARTTLS'), /^454 TLS currently unavailable/);
  await server.logs(/tls_ocsp_file .*nosuch: No such file or directory/, 'panic');
});

/** The size of the Diffie-Hellman parameters that a client gets, or that the handshake failed. */
async function dhBits(): Promise<number | 'failed'> {
  const client = await SmtpClient.greet(server.port);
  if (!(await client.say('STARTTLS')).startsWith('220')) return 'failed';
  const secured = connect({
    ...{ socket: client.socket, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ciphers: 'DHE' },
  });
  try {
    await once(secured, 'secureConnect');
    const { size } = secured.getEphemeralKeyInfo() as { readonly size: number };
    return size;
  } catch {
    return 'failed';
  } finally {
    secured.destroy();
  }
}

test('tls_dhparam names the parameters or their file, and tls_dh_max_bits bounds those that are not named', async () => {
  // only a key of RSA goes with these ciphers
  const pair = server.path('rsa.pem');
  const words = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=mx.x.example'];
  const { status } = spawnSync('openssl', ['req', '-x509', ...words, '-keyout', pair, '-out', `${pair}.crt`]);
  assert.equal(status, 0);
  server.write('rsa.pem', readFileSync(pair, 'latin1') + readFileSync(`${pair}.crt`, 'latin1'), 0o600);
  const file = server.write('dh.pem', groupParameters('ffdhe3072'));
  for (const [lines, bits] of [
    ['', 2048],
    ['tls_dh_max_bits = 4096', 3072],
    ['tls_dhparam = ffdhe3072', 3072],
    ['tls_dhparam = ike15', 3072],
    ['tls_dhparam = historic', 2048],
    ['tls_dhparam = none', 'failed'],
    [`tls_dhparam = ${file}`, 'failed'],
    [`tls_dhparam = ${file}\ntls_dh_max_bits = 3072`, 3072],
    ['tls_dhparam = nosuch', 'failed'],
  ] as const) {
    await serve(`tls_certificate = ${pair}\n${lines}`);
    assert.equal(await dhBits(), bits, lines);
  }
  await server.logs(/\(No standard prime named\): nosuch/);
});

test('tls_eccurve names the curves that are agreed on', async () => {
  for (const [curve, offered, agreed] of [
    ['auto', 'X25519', 'X25519'],
    ['secp384r1', 'P-256:P-384', 'P-384'],
    ['secp384r1', 'P-256', 'failed'],
    ['prime256v1:secp384r1', 'P-384', 'P-384'],
  ] as const) {
    await serve(`tls_eccurve = ${curve}`);
    const client = await SmtpClient.greet(server.port);
    await client.say('STARTTLS', 220);
    const secured = connect({
      socket: client.socket,
      rejectUnauthorized: false,
      ecdhCurve: offered,
    });
    const outcome = await Promise.race([
      once(secured, 'secureConnect').then(() => (secured.getEphemeralKeyInfo() as { readonly name: string }).name),
      once(secured, 'error').then(() => 'failed'),
    ]).catch(() => 'failed');
    assert.ok(outcome === agreed || (agreed === 'P-384' && outcome === 'secp384r1'), `${curve} ${offered}: ${outcome}`);
    secured.destroy();
  }
});

/** Begins TLS, with these words of the library, and no second EHLO. */
async function secured(words: object = {}): Promise<SmtpClient | 'failed'> {
  const client = await SmtpClient.greet(server.port);
  await client.say('STARTTLS', 220);
  const stream = connect({ socket: client.socket, rejectUnauthorized: false, ...words });
  try {
    await once(stream, 'secureConnect');
    const over = SmtpClient.over(stream);
    await over.say('NOOP', 250);
    return over;
  } catch {
    stream.destroy();
    return 'failed';
  }
}

test('a client must show a good certificate that does not stand in tls_crl, where tls_verify_hosts has it', async () => {
  const authority = new TestAuthority(server.makeDirectory('clients'));
  const own = readFileSync(authority.issue('own.pem', '/CN=client', 'DNS:client.example'));
  const revoked = authority.issue('revoked.pem', '/CN=was', 'DNS:client.example');
  const list = server.write('crl.pem', readFileSync(authority.revocations('crl.pem', revoked)));
  const believed = server.write('believed.pem', readFileSync(authority.certificate));
  const lines = `tls_verify_certificates = ${believed}\ntls_crl = ${list}\n`;
  await serve(`${lines}tls_verify_hosts = *`);
  assert.notEqual(await secured({ cert: own, key: own }), 'failed');
  const was = readFileSync(revoked);
  assert.equal(await secured({ cert: was, key: was }), 'failed');
  assert.equal(await secured(), 'failed');
  await server.logs(/certificate verification failed: certificate revoked/);
  await serve(`${lines}tls_try_verify_hosts = *\nlog_selector = +tls_certificate_verified`);
  for (const [pem, verified] of [
    [own, 'yes'],
    [was, 'no'],
  ] as const) {
    const client = await secured({ cert: pem, key: pem });
    assert.ok(client !== 'failed');
    await client.say('EHLO c', 250);
    await client.say('MAIL FROM:<a@y.example>', 250);
    await client.say('RCPT TO:<ann@x.example>', 250);
    await client.say('DATA', 354);
    await client.say('x\r\n.', 250);
    await server.logs(new RegExp(`<= a@y\\.example .* CV=${verified} `));
  }
});

test('a client of tls_remember_esmtp need not say EHLO again', async () => {
  for (const [lines, code] of [
    ['', 503],
    ['tls_remember_esmtp', 250],
  ] as const) {
    await serve(lines);
    const client = await secured();
    assert.ok(client !== 'failed');
    await client.say('MAIL FROM:<a@y.example>', code);
  }
});

test('of several certificates a client gets one that goes with its ciphers', async () => {
  const authority = new TestAuthority(server.makeDirectory('pairs'));
  const elliptic = authority.issue('elliptic.pem', '/CN=elliptic', 'DNS:mx.x.example');
  const [certificate, key] = [server.path('rsa.crt'), server.path('rsa.key')];
  const words = [
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=rsa',
    '-keyout',
    key,
    '-out',
    certificate,
  ];
  assert.equal(spawnSync('openssl', ['req', '-x509', ...words]).status, 0);
  server.write('rsa.key', readFileSync(key), 0o600);
  const pair = server.write('elliptic.pem', readFileSync(elliptic), 0o600);
  await serve(`tls_certificate = ${certificate} : ${pair}\ntls_privatekey = ${key} : ${pair}`);
  for (const [ciphers, name] of [
    ['ECDHE-RSA-AES128-GCM-SHA256', 'rsa'],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'elliptic'],
  ] as const) {
    const client = await secured({ ciphers, maxVersion: 'TLSv1.2' });
    assert.ok(client !== 'failed');
    assert.equal((client.socket as TLSSocket).getPeerCertificate().subject.CN, name);
  }
});
