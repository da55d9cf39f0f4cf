/** Operators that compute digests and encodings of octets. */

import { decodeBase64, encodeBase64 } from '../../lib/base64.ts';
import { crypto } from '../../lib/crypto.ts';
import { upper } from '../../lib/octets.ts';
import { certificateOctets } from '../../net/certificate-fields.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

/** The octets of a text; of a certificate, those it is encoded in. */
const octets = (text: string): Buffer => certificateOctets(text) ?? Buffer.from(text, 'latin1');

export const digest = (algorithm: string, text: string): string =>
  crypto().createHash(algorithm).update(octets(text)).digest('hex');

const base64 = (name: string): Operator => ({
  name,
  doc: 'in base 64',
  evaluate: (text) => certificateOctets(text.value)?.toString('base64') ?? encodeBase64(text.value),
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
  {
    name: 'md5',
    doc: 'MD5 digest, in lower case; of a certificate, in upper case',
    evaluate: (text) => {
      const found = digest('md5', text.value);
      return certificateOctets(text.value) === undefined ? found : upper(found);
    },
  },
  { name: 'sha1', doc: 'SHA-1 digest, in upper case', evaluate: (text) => upper(digest('sha1', text.value)) },
  {
    name: 'sha256',
    doc: 'SHA-256 digest, in upper case',
    evaluate: (text) => upper(digest('sha256', text.value)),
  },
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
