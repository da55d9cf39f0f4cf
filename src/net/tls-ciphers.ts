/**
 * Which ciphers and versions of TLS may be used, as configurations say it: in the words of OpenSSL, or in those of
 * GnuTLS, which Debian's Exim is built with (Exim spec 43.4, 43.5).
 */

import type { SecureVersion } from 'node:tls';
import { crypto } from '../lib/crypto.ts';
import { upper } from '../lib/octets.ts';

export interface CipherRules {
  readonly ciphers?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const isPriorities = /^(?:NORMAL|PERFORMANCE|LEGACY|PFS|SECURE\d+|SUITEB\d+|NONE|SYSTEM)(?::|$)/;

/** Of a priority string of GnuTLS only the versions are obeyed: its ciphers have other names and none that are weak. */
function rulesOfPriorities(text: string): CipherRules {
  const allowed = new Set<string>(versions);
  for (const word of text.split(':')) {
    const [, sign, name = ''] = /^([-+!])VERS-(.*)$/.exec(word) ?? [];
    if (sign === undefined) continue;
    const named =
      name === 'ALL' || name === 'TLS-ALL' ? versions : [`TLSv${name.replace(/^TLS/, '')}`.replace('v1.0', 'v1')];
    for (const version of named) {
      if (sign === '+') allowed.add(version);
      else allowed.delete(version);
    }
  }
  const left = versions.filter((version) => allowed.has(version));
  const [minVersion] = left;
  const maxVersion = left.at(-1);
  return minVersion === undefined || maxVersion === undefined ? {} : { minVersion, maxVersion };
}

/** The value of `tls_require_ciphers`. */
export function cipherRules(text: string): CipherRules {
  if (text === '') return {};
  // names may be written with underscores, as GnuTLS had them; those of TLS 1.3 really have them
  const openssl = (): string =>
    text
      .split(':')
      .map((word) => (word.startsWith('TLS_') ? word : word.replaceAll('_', '-')))
      .join(':');
  return isPriorities.test(text) ? rulesOfPriorities(text) : { ciphers: openssl() };
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
