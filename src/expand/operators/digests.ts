/** Operators that compute digests and encodings of octets. */

import { decodeBase64, encodeBase64 } from '../../lib/base64.ts';
import { crypto } from '../../lib/crypto.ts';
import { upper } from '../../lib/octets.ts';
import { CertificateFields, isCertificate } from '../../net/certificate-fields.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

export const digest = (algorithm: string, text: string): string =>
  crypto().createHash(algorithm).update(octets(text)).digest('hex');

/** Of a certificate (`$tls_in_peercert`) it is the digest that it is known by, not that of its text (Exim spec 11.6). */
const simple = (name: 'md5' | 'sha1' | 'sha256', doc: string, dress: (digits: string) => string): Operator => ({
  name,
  doc,
  evaluate: ({ value }) =>
    isCertificate(value) ? new CertificateFields(value).digest(name) : dress(digest(name, value)),
});

const base64 = (name: string): Operator => ({
  name,
  doc: 'in base 64',
  evaluate: (text) => encodeBase64(text.value),
});

/** A family of digests whose length stands behind the underscore. */
const family = (name: string, sizes: ReadonlyMap<string, string>): Operator => ({
  name,
  doc: `${name} digest, in upper case`,
  evaluate: (text, option) => {
    const algorithm = sizes.get(option);
    return algorithm === undefined ? fail(`unrecognised ${name} variant`) : upper(digest(algorithm, text.value));
  },
});

export const digestOperators: readonly Operator[] = [
  base64('base64'),
  base64('str2b64'),
  {
    name: 'base64d',
    doc: 'decoded from base 64',
    evaluate: (text) =>
      decodeBase64(text.value) ?? fail(`string "${text.value}" is not well-formed for "base64d" operator`),
  },
  {
    name: 'hex2b64',
    doc: 'hexadecimal digits in base 64',
    evaluate: (text) => {
      if (!/^[0-9A-Fa-f]*$/.test(text.value)) return fail(`"${text.value}" is not a hex string`);
      if (text.value.length % 2 !== 0) return fail(`"${text.value}" contains an odd number of characters`);
      return Buffer.from(text.value, 'hex').toString('base64');
    },
  },
  simple('md5', 'MD5 digest, in lower case', (digits) => digits),
  simple('sha1', 'SHA-1 digest, in upper case', upper),
  simple('sha256', 'SHA-256 digest, in upper case', upper),
  family(
    'sha2',
    new Map([
      ['', 'sha256'],
      ['256', 'sha256'],
      ['384', 'sha384'],
      ['512', 'sha512'],
    ]),
  ),
  family(
    'sha3',
    new Map([
      ['', 'sha3-256'],
      ['224', 'sha3-224'],
      ['256', 'sha3-256'],
      ['384', 'sha3-384'],
      ['512', 'sha3-512'],
    ]),
  ),
];
