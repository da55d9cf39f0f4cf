/**
 * Priority strings of GnuTLS, which Debian's Exim is built with, in the words of OpenSSL (Exim spec 43.5): versions, ciphers,
 * ways to exchange keys, and checksums are obeyed. Groups, signatures and what begins with `%` are left to the library.
 */

import type { SecureVersion } from 'node:tls';
import { lower } from '../lib/octets.ts';
import { tlsLibrary } from './tls.ts';
import type { CipherRules } from './tls-ciphers.ts';

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** Ciphers in the order in which they are liked, with the names of OpenSSL; those of TLS 1.3 stand alone. */
const ciphers = {
  'AES-256-GCM': { own: 'TLS_AES_256_GCM_SHA384', suites: { AEAD: 'AES256-GCM-SHA384' } },
  'CHACHA20-POLY1305': { own: 'TLS_CHACHA20_POLY1305_SHA256', suites: { AEAD: 'CHACHA20-POLY1305' } },
  'AES-128-GCM': { own: 'TLS_AES_128_GCM_SHA256', suites: { AEAD: 'AES128-GCM-SHA256' } },
  'AES-256-CBC': { own: undefined, suites: { SHA1: 'AES256-SHA', SHA256: 'AES256-SHA256', SHA384: 'AES256-SHA384' } },
  'AES-128-CBC': { own: undefined, suites: { SHA1: 'AES128-SHA', SHA256: 'AES128-SHA256' } },
} as const satisfies Record<string, { own: string | undefined; suites: Readonly<Record<string, string>> }>;

/** Ways to exchange keys, as names of suites begin with them. */
const exchanges = { 'ECDHE-ECDSA': 'ECDHE-ECDSA-', 'ECDHE-RSA': 'ECDHE-RSA-', 'DHE-RSA': 'DHE-RSA-', RSA: '' } as const;
const checksums = ['AEAD', 'SHA1', 'SHA256', 'SHA384'] as const;

interface Choice {
  ciphers: readonly string[];
  exchanges: readonly string[];
  checksums: readonly string[];
  versions: readonly string[];
}

const everything: Choice = { ciphers: Object.keys(ciphers), exchanges: Object.keys(exchanges), checksums, versions };
const strong: readonly string[] = ['AES-256-GCM', 'CHACHA20-POLY1305', 'AES-256-CBC'];
const nothing: Choice = { ciphers: [], exchanges: [], checksums: [], versions: [] };
const suiteB: Choice = { ...everything, exchanges: ['ECDHE-ECDSA'], checksums: ['AEAD'] };

/** Where a string begins. */
const keywords: ReadonlyMap<string, Choice> = new Map([
  ...['NORMAL', 'PERFORMANCE', 'LEGACY', 'SYSTEM', 'SECURE', 'SECURE128'].map((name) => [name, everything] as const),
  ['PFS', { ...everything, exchanges: everything.exchanges.filter((name) => name !== 'RSA') }],
  ['SECURE192', { ...everything, ciphers: strong }],
  ['SECURE256', { ...everything, ciphers: strong }],
  ['SUITEB128', { ...suiteB, ciphers: ['AES-256-GCM', 'AES-128-GCM'] }],
  ['SUITEB192', { ...suiteB, ciphers: ['AES-256-GCM'] }],
  ['NONE', nothing],
]);

/** All of a kind, by the name for them. */
const all: ReadonlyMap<string, keyof Choice> = new Map([
  ['CIPHER-ALL', 'ciphers'],
  ['KX-ALL', 'exchanges'],
  ['MAC-ALL', 'checksums'],
  ['VERS-ALL', 'versions'],
  ['VERS-TLS-ALL', 'versions'],
]);

const kinds = Object.keys(everything) as (keyof Choice)[];

/** Of which kind a word is, and what it stands for; nothing for words that are left to the library. */
function meaning(word: string): readonly [kind: keyof Choice, names: readonly string[]] | undefined {
  const kind = all.get(word);
  if (kind !== undefined) return [kind, everything[kind]];
  const name = /^VERS-TLS/.test(word) ? word.replace(/^VERS-TLS/, 'TLSv').replace('v1.0', 'v1') : word;
  const found = kinds.find((each) => everything[each].includes(name));
  return found === undefined ? undefined : [found, [name]];
}

function chosen(text: string): Choice {
  const [keyword = '', ...words] = text.split(':');
  const choice: Choice = { ...(keywords.get(keyword) ?? everything) };
  const banned = new Set<string>();
  for (const word of words) {
    const found = meaning(word.slice(1));
    if (found === undefined) continue;
    const [kind, names] = found;
    const others = choice[kind].filter((name) => !names.includes(name));
    if (word.startsWith('+')) choice[kind] = [...choice[kind], ...names.filter((name) => !choice[kind].includes(name))];
    else choice[kind] = others;
    if (word.startsWith('!')) for (const name of names) banned.add(name);
  }
  for (const kind of kinds) choice[kind] = choice[kind].filter((name) => !banned.has(name));
  return choice;
}

/** Suites of TLS 1.2 and before; not every cipher goes with every way to exchange keys. */
function suitesOf(choice: Choice): string[] {
  const known = new Set(tlsLibrary().getCiphers());
  return choice.exchanges.flatMap((exchange) =>
    choice.ciphers.flatMap((cipher) => {
      const { suites } = ciphers[cipher as keyof typeof ciphers];
      const start = exchanges[exchange as keyof typeof exchanges];
      return Object.entries(suites)
        .filter(([checksum]) => choice.checksums.includes(checksum))
        .map(([, name]) => `${start}${name}`)
        .filter((name) => known.has(lower(name)));
    }),
  );
}

/** Whether a value is such a string. */
export const isPriorities = (text: string): boolean => keywords.has(text.split(':', 1)[0] ?? '');

/** @throws Error when it leaves no version or no cipher */
export function rulesOfPriorities(text: string): CipherRules {
  const choice = chosen(text);
  const own = choice.ciphers.flatMap((name) => ciphers[name as keyof typeof ciphers].own ?? []);
  const older = suitesOf(choice);
  const left = versions.filter(
    (version) => choice.versions.includes(version) && (version === 'TLSv1.3' ? own : older).length > 0,
  );
  const [minVersion] = left;
  const maxVersion = left.at(-1);
  if (minVersion === undefined || maxVersion === undefined) throw new Error(`"${text}" leaves no ciphers`);
  return { minVersion, maxVersion, ciphers: [...own, ...older].join(':') };
}
