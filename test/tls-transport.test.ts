/** The options of the smtp transport about TLS, against a server of the test that offers what each case needs. */

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createSecureContext, TLSSocket, type TlsOptions } from 'node:tls';
import { TestDirectory } from '../src/lib/test-directory.ts';
import type { DnsAnswer } from '../src/net/dns-answer.ts';
import type { CertificateAssociation } from '../src/net/dns-records.ts';
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
import { TestAuthority } from './test-certificates.ts';

const directory = new TestDirectory();
const authority = new TestAuthority(directory.path);
const own = authority.issue('own.pem', '/CN=mx.x.example', 'DNS:mx.x.example');
const other = authority.issue('other.pem', '/CN=other.example', 'DNS:other.example');

const strange = new TestAuthority(mkdtempSync(`${directory.path}/strange-`));

/** What the peer does, and what it saw in the last handshake. */
let offers: TlsOptions & { readonly startTls?: string } = {};
let seen:
  | { readonly alpn: string | false | null; readonly cipher: string; readonly version: string | null }
  | undefined;
let certificate = own;
let peer: Server;
/** Connections that the last delivery would keep for other messages. */
let kept = 0;

/** Says `220` or what is due to each command; after STARTTLS all the same over TLS. */
function serve(stream: Socket | TLSSocket, isSecured: boolean): void {
  let rest = '';
  let isBody = false;
  stream.on('error', () => stream.destroy());
  const hear = (octets: Buffer): void => {
    const lines = (rest + octets.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (isBody) {
        if (line !== '.') continue;
        isBody = false;
        stream.write('250 OK\r\n');
      } else if (line === 'STARTTLS') {
        const { startTls = '220 go' } = offers;
        stream.write(`${startTls}\r\n`);
        if (!startTls.startsWith('220')) continue;
        stream.off('data', hear);
        secure(stream);
      } else if (line.startsWith('EHLO'))
        stream.write(`250-peer\r\n${isSecured ? '' : '250-STARTTLS\r\n'}250 HELP\r\n`);
      else if (line === 'DATA') {
        isBody = true;
        stream.write('354 go\r\n');
      } else if (line === 'QUIT') stream.end('221 bye\r\n');
      else stream.write('250 OK\r\n');
    }
  };
  stream.on('data', hear);
}

function secure(socket: Socket): void {
  const pem = readFileSync(certificate);
  const chain = Buffer.concat([pem, readFileSync(authority.certificate)]);
  const secureContext = createSecureContext({ cert: chain, key: pem, ...offers });
  const secured = new TLSSocket(socket, { isServer: true, secureContext, ...offers } as object);
  secured.once('secure', () => {
    const { alpnProtocol: alpn } = secured;
    seen = { alpn, cipher: secured.getCipher().name, version: secured.getProtocol() };
  });
  serve(secured, true);
}

before(async () => {
  peer = createServer((socket) => {
    socket.write('220 peer\r\n');
    serve(socket, false);
  });
  peer.listen(0, '127.0.0.1');
  await once(peer, 'listening');
});
after(() => {
  peer.close();
  directory.remove();
});

const usually = { tls_verify_certificates: authority.certificate, helo_data: 'me.example' };

/** Delivers to the peer; answers how, or why not. */
async function deliver(
  settings: Readonly<Record<string, string>>,
  records: readonly CertificateAssociation[] = [],
  name = 'mx.x.example',
): Promise<string> {
  const { port } = peer.address() as AddressInfo;
  const message = new TestMessage();
  const services = new TestServices();
  services.awaited.add(name);
  const answer: DnsAnswer<CertificateAssociation> = {
    ...{ outcome: 'found', records, secure: true, asked: '', aliases: [], name: '', ttl: 60 },
  };
  if (records.length > 0) services.certificates.set(`_${port}._tcp.${name}`, answer);
  const options = optionsWith(smtpOptions, { ...usually, ...settings });
  const worker = smtp.make(options, requestFor(message).common, new Set(Object.keys(settings)));
  assert.equal(worker.style, 'remote');
  seen = undefined;
  try {
    const hosts = [host('127.0.0.1', port, { name, secure: records.length > 0 })];
    const request = requestFor(message, { hosts, addresses: addressed('ann@x.example') });
    const [outcome] = await worker.deliver(request, services);
    assert.ok(outcome);
    const { result } = outcome;
    kept = services.kept.length;
    for (const connection of services.kept) connection.take().connection.session.quit();
    if (result.outcome !== 'delivered') return `${result.code}: ${result.message}`;
    const { tls } = result;
    return tls === undefined ? 'in clear' : `${tls.version} verified=${tls.verified} dane=${tls.dane === true}`;
  } finally {
    message.close();
    offers = {};
    certificate = own;
  }
}

const good = 'TLS1.3 verified=true dane=false';
const unchecked = 'TLS1.3 verified=false dane=false';

test('tls_alpn names the protocol, and hosts_require_alpn wants the host to agree', async () => {
  offers = { ALPNProtocols: ['smtp'] };
  assert.equal(await deliver({ tls_alpn: 'smtp' }), good);
  assert.equal(seen?.alpn, 'smtp');
  assert.equal(await deliver({ tls_alpn: 'smtp' }), good);
  assert.equal(seen?.alpn, false);
  offers = { ALPNProtocols: ['smtp'] };
  assert.equal(await deliver({ tls_alpn: 'smtp', hosts_require_alpn: '*', hosts_require_tls: '*' }), good);
  const required = { tls_alpn: 'smtp', hosts_require_alpn: '*' };
  assert.match(await deliver({ ...required, hosts_require_tls: '*' }), /^-37: .*no application protocol/);
  assert.equal(await deliver(required), 'in clear');
});

test('a host that cannot begin TLS for the moment gets mail in clear, unless tls_tempfail_tryclear says no', async () => {
  for (const [settings, startTls, expected] of [
    [{}, '454 not now', /^in clear$/],
    [{ tls_tempfail_tryclear: 'false' }, '454 not now', /^0: SMTP error .*STARTTLS: 454 not now/],
    [{ tls_tempfail_tryclear: 'false' }, '554 never', /^in clear$/],
    [{ hosts_require_tls: '*' }, '454 not now', /^-38: a TLS session is required/],
  ] as const) {
    offers = { startTls };
    assert.match(await deliver(settings), expected);
  }
  // and so with a handshake that fails
  offers = { minVersion: 'TLSv1.3' };
  const old = { tls_require_ciphers: 'NORMAL:-VERS-TLS1.3' };
  assert.equal(await deliver(old), 'in clear');
  offers = { minVersion: 'TLSv1.3' };
  assert.match(await deliver({ ...old, tls_tempfail_tryclear: 'false' }), /^-37: TLS session: \(SSL_connect\)/);
});

test('who must show a good certificate is tls_verify_hosts, who may show a bad one tls_try_verify_hosts', async () => {
  const distrust = { tls_verify_certificates: strange.certificate, hosts_require_tls: '*' };
  assert.equal(await deliver({ ...distrust, tls_try_verify_hosts: '' }), unchecked);
  assert.equal(await deliver(distrust), unchecked);
  assert.match(await deliver({ ...distrust, tls_verify_hosts: '*' }), /^-37: .*certificate verification failed/);
});

test('a certificate must bear the name of a host of tls_verify_cert_hostnames', async () => {
  certificate = other;
  assert.equal(await deliver({}), unchecked);
  certificate = other;
  assert.equal(await deliver({ tls_verify_cert_hostnames: '' }), good);
  certificate = other;
  const required = { tls_verify_hosts: '*', hosts_require_tls: '*' };
  assert.match(await deliver(required), /^-37: .*certificate verification failed.*altnames/);
  certificate = other;
  assert.equal(await deliver({ ...required, tls_verify_cert_hostnames: '!127.0.0.1 : *' }), good);
});

test('a certificate that stands in tls_crl is none', async () => {
  const list = authority.revocations('crl.pem', other);
  const required = { tls_verify_hosts: '*', hosts_require_tls: '*', tls_crl: list, tls_verify_cert_hostnames: '' };
  assert.equal(await deliver(required), good);
  certificate = other;
  assert.match(await deliver(required), /^-37: .*certificate verification failed.*revoked/);
  certificate = other;
  assert.equal(await deliver({ tls_crl: list }), unchecked);
  assert.match(await deliver({ ...required, tls_crl: directory.file('nosuch') }), /^-37: .*tls_setup.*No such file/);
});

test('tls_require_ciphers has words of OpenSSL or of GnuTLS', async () => {
  for (const [ciphers, cipher, version] of [
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_AES_256_GCM_SHA384', 'TLSv1.3'],
    ['NORMAL:-VERS-TLS1.3', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'TLSv1.2'],
    ['SECURE128:-VERS-ALL:+VERS-TLS1.2:-AES-256-GCM:-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES256-SHA', 'TLSv1.2'],
    ['NORMAL:-VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'TLSv1.2'],
    ['NORMAL:-CIPHER-ALL:+AES-128-GCM', 'TLS_AES_128_GCM_SHA256', 'TLSv1.3'],
    ['SECURE192:-VERS-TLS1.3', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'TLSv1.2'],
  ] as const) {
    assert.match(await deliver({ tls_require_ciphers: ciphers }), /^TLS1/, ciphers);
    assert.deepEqual([seen?.cipher, seen?.version], [cipher, version], ciphers);
  }
  // the peer has no key of RSA
  for (const ciphers of [
    'NORMAL:-VERS-TLS1.3:-ECDHE-ECDSA',
    'NORMAL:-VERS-TLS1.3:-KX-ALL:+DHE-RSA',
    'NORMAL:-VERS-ALL',
  ]) {
    assert.match(await deliver({ tls_require_ciphers: ciphers, hosts_require_tls: '*' }), /^-37: /, ciphers);
  }
});

const hashes = ['', 'sha256', 'sha512'] as const;

/** A real record for a certificate. */
function tlsa(usage: number, selector: number, matchingType: number, path: string): CertificateAssociation {
  const { raw, publicKey } = new X509Certificate(readFileSync(path));
  const octets = selector === 0 ? raw : publicKey.export({ type: 'spki', format: 'der' });
  const hash = hashes[matchingType] ?? '';
  return { usage, selector, matchingType, data: hash === '' ? octets : createHash(hash).update(octets).digest() };
}

test('TLSA records of all kinds that count vouch for the right certificate, and for no other', async () => {
  for (const usage of [2, 3]) {
    for (const selector of [0, 1]) {
      for (const matchingType of [0, 1, 2]) {
        const kind = `${usage} ${selector} ${matchingType}`;
        const right = usage === 2 ? authority.certificate : own;
        const wrong = usage === 2 ? strange.certificate : other;
        const outcome = await deliver({}, [tlsa(usage, selector, matchingType, right)]);
        assert.equal(outcome, 'TLS1.3 verified=true dane=true', kind);
        assert.match(await deliver({}, [tlsa(usage, selector, matchingType, wrong)]), /^-37: .*DANE/, kind);
        const { data, ...record } = tlsa(usage, selector, matchingType, right);
        const cut = { ...record, data: data.subarray(0, -1) };
        assert.match(await deliver({}, [cut]), /^-37: .*DANE/, kind);
      }
    }
  }
  // an authority must have issued it for the host
  assert.match(await deliver({}, [tlsa(2, 0, 1, authority.certificate)], 'mx.y.example'), /^-37: .*altnames/);
  // a record for a certificate that is no authority does not make it one
  assert.match(await deliver({}, [tlsa(2, 1, 1, other)]), /^-37: .*DANE/);
});

test('dane_require_tls_ciphers takes the place of tls_require_ciphers where there are TLSA records', async () => {
  const ciphers = { tls_require_ciphers: 'NORMAL', dane_require_tls_ciphers: 'NORMAL:-VERS-TLS1.3' };
  assert.equal(await deliver(ciphers, [tlsa(3, 1, 1, own)]), 'TLS1.2 verified=true dane=true');
  assert.equal(await deliver(ciphers), good);
  const alone = { tls_require_ciphers: 'NORMAL:-VERS-TLS1.3' };
  assert.equal(await deliver(alone, [tlsa(3, 1, 1, own)]), 'TLS1.2 verified=true dane=true');
});

test('TLS with hosts of hosts_nopass_tls and hosts_noproxy_tls is not used for another message', async () => {
  assert.equal(await deliver({}), good);
  assert.equal(kept, 1);
  for (const name of ['hosts_nopass_tls', 'hosts_noproxy_tls']) {
    assert.equal(await deliver({ [name]: '127.0.0.1' }), good);
    assert.equal(kept, 0, name);
    assert.equal(await deliver({ [name]: '127.0.0.1', hosts_avoid_tls: '*' }), 'in clear');
    assert.equal(kept, 1, name);
  }
});
