/** Fields of certificates, as Exim 4.96 with GnuTLS shows those of the same two certificates. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { certificateFields, certificateOctets } from '../net/certificate-fields.ts';
import { certificateText } from './certificate-text.ts';

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../test/fixtures/certificate-${name}.pem`), 'latin1');
const full = read('full');
const plain = read('plain');
process.env['TZ'] = 'UTC';
const subject = 'C=DE,O=Some\\, Org,OU=One,OU=Two,CN=cl.example,EMAIL=a@cl.example,DC=example';

const recorded: readonly (readonly [selector: string, text: string | undefined])[] = [
  ['version', '3'],
  [' version ', '3'],
  ['version,int', '3'],
  ['serial_number', 'a1b2c3d4e5f60718'],
  ['subject', subject],
  ['issuer', subject],
  ['subject,CN', 'cl.example'],
  ['subject,OU', 'One\nTwo'],
  ['subject,OU,>;', 'One;Two'],
  ['subject,CN,OU', 'One\nTwo'],
  ['subject,>;', 'C=DE;O=Some, Org;OU=One;OU=Two;CN=cl.example;EMAIL=a@cl.example;DC=example'],
  ['subject,XX', undefined],
  ['issuer,O', 'Some, Org'],
  ['subject,DC', 'example'],
  ['notbefore', 'Nov 30 15:47:43 2026 GMT'],
  ['notafter', 'Nov 27 15:47:43 2036 GMT'],
  ['notafter,int', '2111413663'],
  ['notbefore,foo', 'Nov 30 15:47:43 2026 GMT'],
  ['notafter,>;', 'Nov 27 15:47:43 2036 GMT'],
  ['sig_algorithm', 'RSA-SHA256'],
  ['subj_altname', 'DNS=cl.example\nDNS=www.cl.example\nMAIL=a@cl.example\nURI=http://cl.example/x:y'],
  ['subj_altname,ip', 'DNS=cl.example\nDNS=www.cl.example\nMAIL=a@cl.example\nURI=http://cl.example/x:y'],
  ['subj_altname,dns', 'cl.example\nwww.cl.example'],
  ['subj_altname,uri', 'http://cl.example/x:y'],
  ['subj_altname,mail', 'a@cl.example'],
  ['subj_altname,dns,>:', 'cl.example:www.cl.example'],
  ['subj_altname,>;,dns', 'cl.example;www.cl.example'],
  ['subj_altname,>.', 'DNS=cl..example.DNS=www..cl..example.MAIL=a@cl..example.URI=http://cl..example/x:y'],
  ['subj_altname,>:,uri', 'http:://cl.example/x::y'],
  ['crl_uri', 'http://crl.example/a.crl\nhttp://crl.example/b.crl'],
  ['crl_uri,>/', 'http:////crl.example//a.crl/http:////crl.example//b.crl'],
  // the real program fails here, by a mistake of its own
  ['ocsp_uri', 'http://ocsp.example/\nhttp://ocsp2.example/'],
];

for (const [selector, text] of recorded) {
  test(`\${certextract{${selector}}{…}}`, () => assert.equal(certificateText(full, selector), text));
}

test('a certificate that has only what it must', () => {
  const fields = ['version', 'serial_number', 'subject', 'issuer', 'notafter,int', 'sig_algorithm'];
  const found = fields.map((field) => certificateText(plain, field));
  assert.deepEqual(found, ['3', '5', 'CN=plain.example', 'CN=plain.example', '1804693663', 'ECDSA-SHA256']);
  for (const field of ['subj_altname', 'ocsp_uri', 'crl_uri', 'subject,OU']) {
    assert.equal(certificateText(plain, field), undefined, field);
  }
});

test('the signature is told octet by octet', () => {
  const text = certificateText(full, 'signature');
  assert.ok(typeof text === 'string');
  assert.match(text, /^ba 48 3d c0 57 de e6 d1 19 49 (?:[0-9a-f]{2} )*45 e0 90 76 b9$/);
  assert.equal(text.split(' ').length, 256);
});

test('a field that there is not is an error', () => {
  for (const selector of ['nosuch', '', 'Version']) {
    assert.deepEqual(certificateText(full, selector), { error: `bad field selector "${selector}" for certextract` });
  }
});

test('octets that are no certificate, or half of one, do no harm', () => {
  const octets = certificateOctets(full) ?? assert.fail('a certificate');
  fc.assert(
    fc.property(fc.nat(octets.length), fc.nat(octets.length - 1), fc.nat(255), (length, at, octet) => {
      const spoiled = Buffer.from(octets.subarray(0, length));
      if (at < length) spoiled[at] = octet;
      certificateFields(spoiled);
    }),
    { numRuns: 3000 },
  );
});
