/** `crypteq`: a password against its hash (Exim spec 11.7). */

import { crypto } from '../../lib/crypto.ts';
import { lower } from '../../lib/octets.ts';
import { systemCrypt } from '../../safe/native.ts';
import type { ConditionRow } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { stringsCondition } from './shapes.ts';

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')];
  return x.length === y.length && crypto().timingSafeEqual(x, y);
}

/** A plain digest, given in base 64 or in hexadecimal digits; the length tells which. */
function digestMatches(algorithm: string, password: string, stored: string): boolean {
  const digest = crypto().createHash(algorithm).update(Buffer.from(password, 'latin1')).digest();
  if (stored.length === Math.ceil(digest.length / 3) * 4) return same(digest.toString('base64'), stored);
  return stored.length === digest.length * 2 && same(digest.toString('hex'), lower(stored));
}

function cryptMatches(password: string, stored: string): boolean {
  const hash = systemCrypt(password, stored);
  return hash !== undefined && same(hash, stored);
}

/** Two hashes behind one salt: of the first eight characters of the password, and of those behind them. */
function crypt16Matches(password: string, stored: string): boolean {
  const first = systemCrypt(password.slice(0, 8), stored);
  const second = systemCrypt(password.slice(8), stored);
  return first !== undefined && second !== undefined && same(first + second.slice(2), stored);
}

const schemes: ReadonlyMap<string, (password: string, stored: string) => boolean> = new Map([
  ['md5', (password, stored) => digestMatches('md5', password, stored)],
  ['sha1', (password, stored) => digestMatches('sha1', password, stored)],
  ['crypt', cryptMatches],
  ['crypt16', crypt16Matches],
]);

export const passwordConditions: readonly ConditionRow[] = [
  stringsCondition({
    name: 'crypteq',
    doc: 'the password has the given hash',
    count: 2,
    test: ([password, stored]) => {
      const text = stored?.value ?? '';
      const found = /^\{([^}]*)\}(.*)$/s.exec(text);
      const scheme = found === null && text.startsWith('{') ? undefined : schemes.get(lower(found?.[1] ?? 'crypt'));
      if (scheme === undefined) return fail(`unknown encryption mechanism in "${text}"`);
      return scheme(password?.value ?? '', found?.[2] ?? text);
    },
  }),
];
