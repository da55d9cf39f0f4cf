/**
 * Priority strings of GnuTLS, which Debian's Exim is built with, in the words of OpenSSL (Exim spec 43.5): versions, ciphers,
 * ways to exchange keys, and checksums are obeyed, in their order. Which groups and signatures there are decides whether
 * a version can be spoken; which of them are used, and what begins with `%`, is left to the library.
 */

import type { SecureVersion } from 'node:tls';
import { nearest } from '../lib/nearest.ts';
import { upper } from '../lib/octets.ts';
import {
  type Choice,
  type Kind,
  keywords,
  kinds,
  known,
  manners,
  modernSuites,
  suites,
  usedSignatures,
  wholes,
} from './gnutls-words.ts';
import type { CipherRules } from './tls-ciphers.ts';

const versions: readonly (readonly [word: string, version: SecureVersion])[] = [
  ['VERS-TLS1.0', 'TLSv1'],
  ['VERS-TLS1.1', 'TLSv1.1'],
  ['VERS-TLS1.2', 'TLSv1.2'],
  ['VERS-TLS1.3', 'TLSv1.3'],
];

const kindOf: ReadonlyMap<string, Kind> = new Map(
  kinds.flatMap((kind) => known[kind].map((name): [string, Kind] => [name, kind])),
);

type Changeable = { -readonly [K in Kind]: readonly string[] };

const add = (choice: Changeable, kind: Kind, names: readonly string[]): void => {
  choice[kind] = [...choice[kind], ...names.filter((name) => !choice[kind].includes(name))];
};

const take = (choice: Changeable, kind: Kind, names: readonly string[]): void => {
  choice[kind] = choice[kind].filter((name) => !names.includes(name));
};

/** The word of a group may call it a curve. */
const asWritten = (word: string): string => word.replace(/^CURVE-(?!ALL$)/, 'GROUP-');

/** Obeys a word; answers whether there is such a word. */
function obey(word: string, choice: Changeable): boolean {
  if (manners.has(word)) return true;
  const sign = word[0];
  const name = asWritten(upper(word.slice(1)));
  if (sign !== '+' && sign !== '-' && sign !== '!') return false;
  const whole = wholes.get(name);
  const kind = kindOf.get(name);
  const keyword = name === 'NONE' ? undefined : keywords.get(name);
  if (sign === '+' && keyword !== undefined) {
    // versions come only with Suite B, which has one
    const isWhole = name.startsWith('SUITEB');
    for (const each of kinds) if (isWhole || each !== 'versions') add(choice, each, keyword[each]);
  } else if (whole !== undefined) {
    if (sign === '+') add(choice, whole.kind, whole.added);
    else take(choice, whole.kind, whole.taken);
  } else if (kind !== undefined) {
    if (sign === '+') add(choice, kind, [name]);
    else take(choice, kind, [name]);
  } else return false;
  return true;
}

/** @throws Error for a word that there is not */
function chosen(text: string): Choice {
  const [keyword = '', ...words] = text.split(':');
  const choice: Changeable = { ...(keywords.get(upper(keyword)) ?? known) };
  for (const written of words) {
    const word = written.replace(/^[ \t]+/, '');
    if (obey(word, choice)) continue;
    const near = nearest(upper(word.slice(1)), [...kindOf.keys(), ...wholes.keys()]);
    const remedy = near === undefined ? '' : `; did you mean "${word.slice(0, 1)}${near}"?`;
    throw new Error(`there is no priority "${written}" of GnuTLS, in "${text}"${remedy}`);
  }
  return choice;
}

interface Suite {
  readonly name: string;
  readonly checksum: string;
}

/** Suites of TLS 1.2 and before, in the order in which they are liked. */
function suitesOf({ ciphers, exchanges, checksums }: Choice): readonly Suite[] {
  return exchanges.flatMap((exchange) =>
    ciphers.flatMap((cipher) =>
      checksums.flatMap((checksum) =>
        (suites.get(cipher) ?? [])
          .filter(([of, , goesWith]) => of === checksum && goesWith.includes(exchange))
          .map(([, name]) => ({ name: exchange === 'RSA' ? name : `${exchange}-${name}`, checksum })),
      ),
    ),
  );
}

/** Whether a value is such a string. */
export const isPriorities = (text: string): boolean => keywords.has(upper(text.split(':', 1)[0] ?? ''));

/** TLS 1.3 is not spoken beside these. */
const exchangesOfThePast: ReadonlySet<string> = new Set(['SRP', 'SRP-RSA', 'SRP-DSS', 'RSA-PSK']);

/** @throws Error when it leaves no version or no cipher, and for a word that there is not */
export function rulesOfPriorities(text: string): CipherRules {
  const choice = chosen(text);
  const has = (word: string): boolean => choice.versions.includes(word);
  const modern = choice.checksums.includes('AEAD')
    ? choice.ciphers.flatMap((name) => modernSuites.get(name) ?? [])
    : [];
  const older = suitesOf(choice);
  const signs = choice.signatures.some((name) => usedSignatures.has(name));
  // neither the checksums of later suites nor other ones were there before TLS 1.2
  const oldest = older.some(({ checksum }) => checksum === 'SHA1');
  // GnuTLS does not speak TLS 1.3 where only versions before 1.2 stand beside it
  const gap = !has('VERS-TLS1.2') && (has('VERS-TLS1.1') || has('VERS-TLS1.0'));
  const modernGoes = !gap && !choice.exchanges.some((exchange) => exchangesOfThePast.has(exchange));
  const can: Readonly<Record<SecureVersion, boolean>> = {
    TLSv1: oldest,
    'TLSv1.1': oldest,
    'TLSv1.2': signs && older.length > 0,
    'TLSv1.3': modernGoes && signs && choice.groups.length > 0 && modern.length > 0,
  };
  const left = versions.filter(([word, version]) => has(word) && can[version]);
  const [minVersion, maxVersion] = [left[0]?.[1], left.at(-1)?.[1]];
  if (minVersion === undefined || maxVersion === undefined) throw new Error(`"${text}" leaves no ciphers`);
  return { minVersion, maxVersion, ciphers: [...modern, ...older.map(({ name }) => name)].join(':') };
}
