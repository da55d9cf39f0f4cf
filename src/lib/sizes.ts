/** Integers as configurations and conditions write them: a sign, digits, and K, M or G for powers of 1024. */

import { lower, trimStart } from './octets.ts';

const factors: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['k', 1024n],
  ['m', 1024n ** 2n],
  ['g', 1024n ** 3n],
]);

/** The number of a numeric condition: decimal, blanks around it, an empty text for zero (Exim spec 11.7). */
export function parseInteger(text: string): bigint | { readonly error: string } {
  const found = /^[ \t-\r]*([+-]?\d+)([kmgKMG]?)[ \t-\r]*$/.exec(text);
  if (found === null) {
    if (/^[ \t-\r]*$/.test(text)) return 0n;
    const wrong = /^[ \t-\r]*[+-]?\d/.test(text)
      ? `invalid integer "${text}"`
      : `integer expected but "${trimStart(text)}" found`;
    return { error: wrong };
  }
  const tooLarge = { error: `absolute value of integer "${text}" is too large (overflow)` };
  if ((found[1] ?? '').length > 100) return tooLarge;
  const value = BigInt(found[1] ?? '0') * (factors.get(lower(found[2] ?? '')) ?? 1n);
  return BigInt.asIntN(64, value) === value ? value : tooLarge;
}

/** The number of an option: decimal, octal with a leading 0, hexadecimal with 0x; K, M, G (Exim spec 6.13). */
export function parseOptionInteger(text: string): number | undefined {
  const found = /^([+-]?)(0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9]\d*)([kmgKMG]?)$/.exec(text);
  if (found === null) return undefined;
  const [, sign, digits = '0', unit = ''] = found;
  const magnitude = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  const value = magnitude * Number(factors.get(lower(unit)) ?? 1n);
  return sign === '-' ? -value : value;
}

/** An integer as `-bP` shows it: exact multiples of a megabyte or kilobyte with their letter. */
export function formatSize(value: number): string {
  if (value === 0 || value % 1024 !== 0) return String(value);
  return value % (1024 * 1024) === 0 ? `${value / (1024 * 1024)}M` : `${value / 1024}K`;
}
