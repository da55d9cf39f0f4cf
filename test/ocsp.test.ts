/** Proofs that a certificate still holds (OCSP): what is believed of them, and deliveries to our own server that shows them. */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { DnsAnswer } from '../src/net/dns-answer.ts';
import type { CertificateAssociation } from '../src/net/dns-records.ts';
import { ocspProblem } from '../src/net/ocsp.ts';
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
import { TestAuthority } from './test-certificates.ts';

let server: TestServer;
let authority: TestAuthority;
let own: string;

before(async () => {
  server = await TestServer.make();
  authority = new TestAuthority(server.makeDirectory('certificates'));
  own = authority.issue('own.pem', '/CN=mx.x.example', 'DNS:mx.x.example');
});
after(() => server.remove());

const day = 86_400_000;
const certificate = (path: string): X509Certificate => new X509Certificate(readFileSync(path));

/** What is wrong with a proof, `later` milliseconds from now. */
function problem(path: string, later = 0, issuer: string | undefined = authority.certificate): string {
  const known = issuer === undefined ? undefined : certificate(issuer);
  return ocspProblem(readFileSync(path), certificate(own), known, Date.now() + later) ?? 'good';
}

test('a proof of the issuer is believed for as long as it says', () => {
  const good = authority.prove('good', own, 'good');
  assert.equal(problem(good), 'good');
  assert.equal(problem(good, 2 * day), 'the proof of the authority is not of this time');
  assert.equal(problem(good, -day), 'the proof of the authority is not of this time');
  assert.equal(problem(authority.prove('revoked', own, 'revoked')), 'certificate revoked');
  assert.equal(problem(authority.prove('unknown', own, 'unknown')), 'the authority does not know the certificate');
});

test('another may sign for the issuer when it has that right from the issuer itself', () => {
  const usage = 'extendedKeyUsage=OCSPSigning\n';
  const helper = authority.issue('helper.pem', '/CN=helper', 'DNS:h.example', usage);
  assert.equal(problem(authority.prove('helped', own, 'good', helper)), 'good');
  const without = authority.issue('without.pem', '/CN=without', 'DNS:w.example');
  const unsigned = 'the proof is not signed by the authority';
  assert.equal(problem(authority.prove('without', own, 'good', without)), unsigned);
  const strange = new TestAuthority(server.makeDirectory('strangers'));
  const stranger = strange.issue('stranger.pem', '/CN=helper', 'DNS:h.example', usage);
  assert.equal(problem(authority.prove('strange', own, 'good', stranger)), unsigned);
  assert.equal(problem(server.path('certificates/helped'), 0, strange.certificate), unsigned);
});

test('a proof about another certificate proves nothing, nor does one that was changed or cut off', () => {
  const other = authority.issue('other.pem', '/CN=mx.x.example', 'DNS:mx.x.example');
  assert.equal(problem(authority.prove('other', other, 'good')), 'the proof is about another certificate');
  const octets = readFileSync(authority.prove('whole', own, 'good'));
  for (let length = 0; length < octets.length; length++) {
    const cut = octets.subarray(0, length);
    assert.ok(ocspProblem(cut, certificate(own), certificate(authority.certificate), Date.now()), `${length} octets`);
  }
  // the certificates at the end are not signed; what is before them is
  let isFine = 0;
  for (let at = 40; at < 200; at++) {
    const changed = Buffer.from(octets);
    changed[at] = (changed[at] ?? 0) ^ 1;
    if (ocspProblem(changed, certificate(own), certificate(authority.certificate), Date.now()) === undefined) isFine++;
  }
  assert.equal(isFine, 0);
  assert.match(problem(server.write('refusal', Buffer.from([0x30, 3, 0x0a, 1, 6]))), /is none$/);
});

test('a proof for an issuer that is not known proves nothing', () => {
  const good = readFileSync(server.path('certificates/good'));
  assert.match(ocspProblem(good, certificate(own), undefined, Date.now()) ?? '', /is not known/);
});

async function serve(proof: string | undefined): Promise<void> {
  await server.stop();
  const file = proof === undefined ? '' : `tls_ocsp_file = ${proof}\n`;
  const key = server.write('own.key', readFileSync(`${own}.key`), 0o600);
  const main = `tls_advertise_hosts = *\ntls_certificate = ${own}\ntls_privatekey = ${key}\n${file}`;
  const acl = '  accept domains = x.example\n         logwrite = asked $tls_in_ocsp';
  server.configure({ main, acl });
  await server.start();
}

/** Delivers; answers the state of the proof and whether the certificate counts as good, or what went wrong. */
async function deliver(
  settings: Readonly<Record<string, string>>,
  records?: DnsAnswer<CertificateAssociation>,
): Promise<string> {
  const message = new TestMessage();
  const services = new TestServices();
  if (records !== undefined) services.certificates.set(`_${server.port}._tcp.mx.x.example`, records);
  const options = optionsWith(smtpOptions, {
    helo_data: 'me.example',
    tls_verify_certificates: authority.certificate,
    hosts_require_tls: '*',
    ...settings,
  });
  const worker = smtp.make(options, requestFor(message).common, new Set(Object.keys(settings)));
  assert.equal(worker.style, 'remote');
  try {
    const hosts = [host('127.0.0.1', server.port, { name: 'mx.x.example', secure: true })];
    const request = requestFor(message, { hosts, addresses: addressed('ann@x.example') });
    const [outcome] = await worker.deliver(request, services);
    assert.ok(outcome);
    const { result } = outcome;
    if (result.outcome !== 'delivered') return `${result.code}: ${result.message}`;
    return `${result.tls?.ocsp} ${result.tls?.verified}`;
  } finally {
    message.close();
  }
}

const required = { hosts_require_ocsp: '*' };
const refused = /^-37: TLS session: \(certificate status check failed\)$/;

test('a host shows its proof when it is asked, and mail that must have one goes out', async () => {
  await serve(authority.prove('served', own, 'good'));
  assert.equal(await deliver({}), '4 true');
  assert.equal(await deliver(required), '4 true');
  assert.equal(await deliver({ hosts_request_ocsp: '' }), '0 true');
  await server.logs(/asked 4\n/);
  await server.logs(/asked 0\n/);
  // the authority that signed it must be one that we believe
  const strange = new TestAuthority(server.makeDirectory('unbelieved'));
  assert.match(await deliver({ ...required, tls_verify_certificates: strange.certificate }), refused);
  assert.equal(await deliver({ tls_verify_certificates: strange.certificate }), '3 false');
});

test('a session that would be taken up brings no proof, so none is where one must be', async () => {
  await serve(authority.prove('again', own, 'good'));
  const settings = { ...required, tls_resumption_hosts: '*' };
  assert.deepEqual([await deliver(settings), await deliver(settings)], ['4 true', '4 true']);
});

test('a proof that the certificate was revoked spoils it; where none is, only mail that must have one waits', async () => {
  await serve(authority.prove('spoilt', own, 'revoked'));
  assert.equal(await deliver({}), '3 false');
  assert.match(await deliver(required), refused);
  const text = 'TLS session: (certificate verification failed): certificate revoked';
  assert.equal(await deliver({ tls_verify_hosts: '*' }), `-37: ${text}`);
  await serve(undefined);
  assert.equal(await deliver({}), '3 true');
  assert.equal(await deliver({ tls_verify_hosts: '*' }), '3 true');
  assert.match(await deliver(required), refused);
});

test('where the DNS names the certificate itself no authority is asked, unless the option says so', async () => {
  await serve(authority.prove('dane', own, 'good'));
  const records: CertificateAssociation[] = [
    { usage: 3, selector: 0, matchingType: 0, data: certificate(own).raw },
    { usage: 2, selector: 0, matchingType: 0, data: certificate(authority.certificate).raw },
  ];
  const signed = (...kept: CertificateAssociation[]): DnsAnswer<CertificateAssociation> => ({
    ...{ outcome: 'found', records: kept, secure: true, asked: '', aliases: [], name: '', ttl: 60 },
  });
  assert.equal(await deliver({}, signed(...records)), '0 true');
  assert.equal(
    await deliver({ hosts_request_ocsp: '${if eq{$tls_out_tlsa_usage}{12}{*}}' }, signed(...records)),
    '3 true',
  );
});
