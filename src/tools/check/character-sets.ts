/** Sets of octets, as the classes of a regular expression name them. Bit 0 is octet 0. */

import { lower, upper } from '../../lib/octets.ts';

export type CharacterSet = bigint;

export const none: CharacterSet = 0n;
export const all: CharacterSet = (1n << 256n) - 1n;
export const one = (octet: number): CharacterSet => 1n << BigInt(octet & 255);
export const not = (set: CharacterSet): CharacterSet => all & ~set;

export function range(from: number, to: number): CharacterSet {
  return from > to ? none : ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from);
}

const between = (...ends: readonly string[]): CharacterSet =>
  ends.reduce((set, [from = '', to = '']) => set | range(from.charCodeAt(0), to.charCodeAt(0)), none);

const digit = between('09');
const letter = between('az', 'AZ');
const word = digit | letter | one(0x5f);
const space = range(9, 13) | one(32);
const horizontal = one(9) | one(32) | one(0xa0);
const vertical = range(10, 13) | one(0x85);

/** `\d` and its like. */
export const escapes: ReadonlyMap<string, CharacterSet> = new Map([
  ['d', digit],
  ['D', not(digit)],
  ['w', word],
  ['W', not(word)],
  ['s', space],
  ['S', not(space)],
  ['h', horizontal],
  ['H', not(horizontal)],
  ['v', vertical],
  ['V', not(vertical)],
  ['N', not(one(10))],
  ['R', vertical],
  ['a', one(7)],
  ['e', one(27)],
  ['f', one(12)],
  ['n', one(10)],
  ['r', one(13)],
  ['t', one(9)],
]);

/** `[:alpha:]` and its like. */
export const posix: ReadonlyMap<string, CharacterSet> = new Map([
  ['alnum', digit | letter],
  ['alpha', letter],
  ['ascii', range(0, 127)],
  ['blank', one(9) | one(32)],
  ['cntrl', range(0, 31) | one(127)],
  ['digit', digit],
  ['graph', range(33, 126)],
  ['lower', between('az')],
  ['print', range(32, 126)],
  ['punct', range(33, 126) & not(digit | letter)],
  ['space', space],
  ['upper', between('AZ')],
  ['word', word],
  ['xdigit', digit | between('af', 'AF')],
]);

/** A character in both cases, for patterns that do not tell them apart. */
export function anyCase(character: string): CharacterSet {
  return one(lower(character).charCodeAt(0)) | one(upper(character).charCodeAt(0));
}
