/** Deliveries to a host whose certificate the DNS vouches for, or does not (DANE): to our own server, with TLSA records of the test. */

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { daneProblem, isUsable } from '../src/net/dane.ts';
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
import type { RemoteResult } from '../src/transports/transport.ts';
import { TestServer } from './server.ts';
import { TestAuthority } from './test-certificates.ts';

let server: TestServer;
let authority: X509Certificate;
let own: X509Certificate;
let other: X509Certificate;

before(async () => {
  server = await TestServer.make();
  const directory = server.makeDirectory('certificates');
  const authorities = new TestAuthority(directory);
  const file = authorities.issue('own.pem', '/CN=mx.x.example', 'DNS:mx.x.example');
  const stranger = authorities.issue('other.pem', '/CN=other.example', 'DNS:other.example');
  own = new X509Certificate(readFileSync(file));
  other = new X509Certificate(readFileSync(stranger));
  authority = new X509Certificate(readFileSync(authorities.certificate));
  // the server shows its authority, too
  const chain = server.write('chain.pem', `${own.toString()}${authority.toString()}`);
  const secret = server.write('own.key', readFileSync(`${file}.key`), 0o600);
  server.configure({ main: `tls_advertise_hosts = *\ntls_certificate = ${chain}\ntls_privatekey = ${secret}` });
  await server.start();
});
after(() => server.remove());

const key = (certificate: X509Certificate): Buffer => certificate.publicKey.export({ type: 'spki', format: 'der' });
const sha256 = (octets: Buffer): Buffer => createHash('sha256').update(octets).digest();
const record = (usage: number, certificate: X509Certificate): CertificateAssociation => ({
  ...{ usage, selector: 1, matchingType: 1, data: sha256(key(certificate)) },
});

function signed(records: readonly CertificateAssociation[], secure = true): DnsAnswer<CertificateAssociation> {
  return { outcome: 'found', records, secure, asked: '', aliases: [], name: '', ttl: 60 };
}

/** Events of the last delivery that are about it. */
let raised: readonly string[] = [];

async function deliver(
  answer: DnsAnswer<CertificateAssociation> | undefined,
  { settings = {}, name = 'mx.x.example', secure = true } = {},
): Promise<RemoteResult> {
  const message = new TestMessage();
  const services = new TestServices();
  if (answer !== undefined) services.certificates.set(`_${server.port}._tcp.${name}`, answer);
  const options = optionsWith(smtpOptions, { helo_data: 'me.example', ...settings });
  const worker = smtp.make(options, requestFor(message).common, new Set(Object.keys(settings)));
  assert.equal(worker.style, 'remote');
  try {
    const hosts = [host('127.0.0.1', server.port, { name, secure })];
    const request = requestFor(message, { hosts, addresses: addressed('ann@x.example') });
    const [outcome] = await worker.deliver(request, services);
    assert.ok(outcome);
    raised = services.raised.filter((event) => event.startsWith('dane:'));
    return outcome.result;
  } finally {
    message.close();
  }
}

const shown = (result: RemoteResult): string =>
  result.outcome === 'delivered'
    ? `delivered dane=${result.tls?.dane ?? false} usage=${result.tls?.tlsaUsage ?? 0}`
    : `${result.outcome} ${result.code}: ${result.message}`;

test('a certificate that the DNS names, or the authority of which it names, is good', async () => {
  assert.equal(shown(await deliver(signed([record(3, own)]))), 'delivered dane=true usage=8');
  assert.equal(shown(await deliver(signed([record(2, authority)]))), 'delivered dane=true usage=4');
  assert.equal(shown(await deliver(signed([record(3, other), record(3, own)]))), 'delivered dane=true usage=8');
  assert.deepEqual(raised, []);
});

test('a certificate that the DNS does not name is refused, and nothing goes out in clear', async () => {
  assert.match(shown(await deliver(signed([record(3, other)]))), /^deferred -37: .*DANE: no TLSA record is for/);
  assert.match(shown(await deliver(signed([record(2, other)]))), /^deferred -37: .*DANE: no TLSA record is for/);
  assert.deepEqual(raised, ['dane:fail validation-failure']);
});

test('an authority must be shown the right name, a certificate itself need not', async () => {
  const elsewhere = { name: 'mx.y.example' };
  assert.match(shown(await deliver(signed([record(2, authority)]), elsewhere)), /^deferred -37: .*altnames/);
  assert.equal(shown(await deliver(signed([record(3, own)]), elsewhere)), 'delivered dane=true usage=8');
});

test('records that cannot be used make TLS a must, and no more', async () => {
  assert.equal(shown(await deliver(signed([record(1, other)]))), 'delivered dane=false usage=0');
});

test('without records, or with some that were not signed, the host is as any other, unless it must have them', async () => {
  for (const [answer, more] of [
    [undefined, {}],
    [signed([record(3, other)], false), {}],
    [signed([record(3, other)]), { secure: false }],
    [signed([record(3, other)]), { settings: { hosts_try_dane: '' } }],
  ] as const) {
    assert.equal(shown(await deliver(answer, more)), 'delivered dane=false usage=0');
  }
  const settings = { hosts_require_dane: '*' };
  assert.match(shown(await deliver(undefined, { settings })), /^deferred -38: DANE error: there are no TLSA records/);
  assert.deepEqual(raised, ['dane:fail dane-required']);
  assert.match(
    shown(await deliver(signed([], false), { settings })),
    /^deferred -38: DANE error: the TLSA records were not/,
  );
  assert.match(
    shown(await deliver(signed([record(3, own)]), { settings, secure: false })),
    /^deferred -38: DANE error: the host/,
  );
  assert.deepEqual(raised, ['dane:fail dnssec-invalid']);
});

test('a DNS that does not answer keeps the mail back', async () => {
  const silent: DnsAnswer<CertificateAssociation> = { outcome: 'again', kind: 'silence', message: 'timed out' };
  assert.match(shown(await deliver(silent)), /^deferred -38: DANE error: the TLSA records cannot be had: timed out/);
});

test('a chain must hang together, and be of today', () => {
  const anchored = [record(2, authority)];
  const now = Date.now();
  const check = (chain: readonly X509Certificate[], at = now): string | undefined =>
    daneProblem(chain, anchored, () => undefined, at);
  assert.equal(check([own, authority]), undefined);
  assert.match(check([own, other, authority]) ?? '', /no chain/);
  assert.match(check([own]) ?? '', /no TLSA record/);
  assert.match(check([own, authority], now + 10 * 86_400_000) ?? '', /not valid at this time/);
  assert.match(check([]) ?? '', /no certificate/);
});

test('records of certificates as they are, and with the longer hash, are compared, too; others are not', () => {
  const whole: CertificateAssociation = { usage: 3, selector: 0, matchingType: 0, data: own.raw };
  const long = createHash('sha512').update(own.raw).digest();
  const hashed: CertificateAssociation = { usage: 3, selector: 0, matchingType: 2, data: long };
  for (const good of [whole, hashed])
    assert.equal(
      daneProblem([own], [good], () => 'no', 0),
      undefined,
    );
  for (const wrong of [{ usage: 1 }, { usage: 0 }, { selector: 2 }, { matchingType: 3 }]) {
    assert.equal(isUsable({ ...whole, ...wrong }), false);
  }
});
