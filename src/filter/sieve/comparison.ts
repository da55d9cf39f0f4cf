/** How Sieve compares strings: comparators and match types (RFC 5228 §2.7; RFC 4790), on octets, as Exim does. */

import { lower } from '../../lib/octets.ts';

export type MatchType = 'is' | 'contains' | 'matches';
export const matchTypes: readonly MatchType[] = ['is', 'contains', 'matches'];

export interface Comparator {
  readonly name: string;
  /** What `require` must have named. */
  readonly capability?: string;
  /** Strings of which this is the same are equal. */
  key(text: string): string;
  /** It has an order of characters, so that parts of strings can be looked for. */
  readonly hasSubstrings: boolean;
}

const octet: Comparator = { name: 'i;octet', key: (text) => text, hasSubstrings: true };

/** Also called `i;ascii-casemap`. */
export const asciiCasemap: Comparator = { name: 'en;ascii-casemap', key: lower, hasSubstrings: true };

/** Texts without a digit in front are all equal. As in Exim, noughts in front count. */
const asciiNumeric: Comparator = {
  name: 'i;ascii-numeric',
  capability: 'comparator-i;ascii-numeric',
  key: (text) => /^[0-9]*/.exec(text)?.[0] ?? '',
  hasSubstrings: false,
};

export const comparators: ReadonlyMap<string, Comparator> = new Map([
  ['i;octet', octet],
  ['i;ascii-casemap', asciiCasemap],
  ['en;ascii-casemap', asciiCasemap],
  ['i;ascii-numeric', asciiNumeric],
]);

/** The pattern was used up to a backslash with nothing behind it. */
export class InvalidPattern extends Error {}

/** The comparator knows equal and unequal only. */
export class NoSubstrings extends Error {}

/**
 * Whether `*` and `?` of the pattern can stand for something so that it is the text (RFC 5228 §2.7.1). Only the last `*`
 * is ever tried again, so that the work is at most the product of both lengths. `spend` is told of it.
 */
function matches(pattern: string, text: string, spend: (steps: number) => void): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let from = 0;
  let steps = 0;
  for (;;) {
    if (++steps % 1024 === 0) spend(1024);
    const c = pattern[p];
    if (c === '*') {
      star = ++p;
      from = t;
      continue;
    }
    if (c === undefined && t === text.length) return true;
    const escaped = c === '\\';
    if (escaped && p + 1 >= pattern.length) throw new InvalidPattern();
    const wanted = escaped ? pattern[p + 1] : c;
    if (t < text.length && c !== undefined && ((c === '?' && !escaped) || wanted === text[t])) {
      p += escaped ? 2 : 1;
      t++;
    } else if (star >= 0 && from < text.length) {
      p = star;
      t = ++from;
    } else return false;
  }
}

/** Whether the key is found in the text. @throws InvalidPattern, NoSubstrings; what `spend` throws */
export function compare(
  type: MatchType,
  comparator: Comparator,
  key: string,
  text: string,
  spend: (steps: number) => void,
): boolean {
  if (type !== 'is' && !comparator.hasSubstrings) throw new NoSubstrings();
  spend(key.length + text.length);
  const [wanted, found] = [comparator.key(key), comparator.key(text)];
  if (type === 'is') return wanted === found;
  return type === 'contains' ? found.includes(wanted) : matches(wanted, found, spend);
}
