/** Functions that the manual offers both as an item and as an operator: substr, hash, nhash. */

import { Text } from '../safe/taint.ts';
import { fail } from './failure.ts';

const longMaximum = 2n ** 63n - 1n;

/** A number of any length as an `int` of C has it. */
export function integer32(digits: string): number {
  const long = BigInt(digits.slice(0, 40).replace(/^\+/, ''));
  return Number(BigInt.asIntN(32, long > longMaximum ? longMaximum : long < -longMaximum ? -longMaximum - 1n : long));
}

/**
 * `count` octets from `start`, which may count from the end. Without a count: all that follows a start from the left,
 * all that precedes one from the right (Exim spec 11.5, substr).
 */
export function substring(text: Text, start: number, count: number | undefined): Text {
  const { length } = text.value;
  if (start >= 0)
    return text.slice(Math.min(start, length), count === undefined ? length : Math.min(start + count, length));
  const from = length + start;
  if (count === undefined) return text.slice(0, Math.max(from, 0));
  return text.slice(Math.max(from, 0), Math.max(Math.min(from + count, length), 0));
}

/** With `t` before `s`, as the real Exim has it. */
const alphabet = 'abcdefghijklmnopqrtsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A text of `count` characters out of the first `letters` of the alphabet; a text no longer than that is left alone. */
export function hashText(text: Text, count: number, letters = 26): Text {
  if (letters > alphabet.length) fail(`hash count "${letters}" too big`);
  if (count >= text.value.length) return text;
  const octets = Buffer.from(text.value, 'latin1');
  const folded = octets.subarray(0, count);
  for (let at = count, into = 0; at < octets.length; at++) {
    const octet = octets[at] ?? 0;
    const shift = (octet + at) & 7;
    if (count > 0) folded[into] = (folded[into] ?? 0) ^ (((octet << shift) | (octet >> (8 - shift))) & 0xff);
    into = into + 1 >= count ? 0 : into + 1;
  }
  const used = Math.max(letters, 1);
  return Text.derived([...folded].map((octet) => alphabet[octet % used]).join(''), text);
}

const weights = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
];

/** A number below `first`; or with `second`, two numbers below each of them with a slash between. */
export function numericHash(text: Text, first: number, second: number | undefined): Text {
  let total = 0;
  let at = -1;
  for (const octet of Buffer.from(text.value, 'latin1')) {
    if (at < 0) at = weights.length - 1;
    total = (total + (weights[at--] ?? 0) * octet) % 2 ** 32;
  }
  if (first === 0 || second === 0) return Text.derived('0', text);
  if (second === undefined) return Text.derived(String(total % first), text);
  total %= first * second;
  return Text.derived(`${Math.floor(total / second)}/${total % second}`, text);
}
