/**
 * Which ciphers and versions of TLS may be used, as configurations say it: in the words of OpenSSL, or in those of
 * GnuTLS, which Debian's Exim is built with (Exim spec 43.4, 43.5).
 */

import type { SecureVersion } from 'node:tls';
import { crypto } from '../lib/crypto.ts';
import { upper } from '../lib/octets.ts';
import { isPriorities, rulesOfPriorities } from './gnutls-priorities.ts';

export interface CipherRules {
  readonly ciphers?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

/** The value of `tls_require_ciphers`. @throws Error when it leaves nothing */
export function cipherRules(text: string): CipherRules {
  if (text === '') return {};
  // names may be written with underscores, as GnuTLS had them; those of TLS 1.3 really have them
  const openssl = (): string =>
    text
      .split(':')
      .map((word) => (word.startsWith('TLS_') ? word : word.replaceAll('_', '-')))
      .join(':');
  return isPriorities(text) ? rulesOfPriorities(text) : { ciphers: openssl() };
}

/** What Exim switches on when nothing is said, as far as it still means something. */
const standardOptions = ['SSL_OP_NO_SSLv3', 'SSL_OP_NO_TICKET'];

/**
 * The value of `openssl_options`: words such as `+no_tlsv1_3`. `givesTickets` wins over it.
 * @throws Error for a word that OpenSSL does not know
 */
export function secureOptions(text: string | undefined, givesTickets = false): number {
  const bitOf = new Map<string, unknown>(Object.entries(crypto().constants).map(([name, bit]) => [upper(name), bit]));
  const standard = (name: string): number => Number(bitOf.get(upper(name)) ?? 0);
  let bits = standardOptions.reduce((sum, name) => sum | standard(name), 0);
  for (const word of (text ?? '').split(/[ \t]+/).filter((each) => each !== '')) {
    const [, sign, name = ''] = /^([-+])(.*)$/.exec(word) ?? [];
    const bit = bitOf.get(`SSL_OP_${upper(name)}`);
    if (sign === undefined || typeof bit !== 'number') throw new Error(`openssl_options: "${word}" is not known`);
    bits = sign === '+' ? bits | bit : bits & ~bit;
  }
  return givesTickets ? bits & ~standard('SSL_OP_NO_TICKET') : bits;
}
