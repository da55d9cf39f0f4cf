/** Operators on numbers, times and other bases. */

import { evaluate } from '../../lib/arithmetic.ts';
import { base62 } from '../../lib/base62.ts';
import { crypto } from '../../lib/crypto.ts';
import { formatInterval, parseInterval } from '../../lib/intervals.ts';
import { trim } from '../../lib/octets.ts';
import { parseInteger } from '../../lib/sizes.ts';
import type { Text } from '../../safe/taint.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

const digits32 = 'abcdefghijklmnopqrstuvwxyz234567';
const digits62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A number as strtoul reads it: nothing is 0, a negative one counts from 2 ** 64 down, too great a one is the greatest. */
function decimal(text: Text, name: string): bigint {
  const found = /^[ \t-\r]*([+-]?)(\d+)$/.exec(text.value === '' ? '0' : text.value);
  if (found === null) return fail(`argument for ${name} operator is "${text.value}", which is not a decimal number`);
  const value = BigInt(boundedDigits(found[2] ?? '0'));
  if (BigInt.asUintN(64, value) !== value) return 2n ** 64n - 1n;
  return BigInt.asUintN(64, found[1] === '-' ? -value : value);
}

/** Digits that are too many for any number here, cut to what is still too great; long ones would take long to convert. */
function boundedDigits(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '').slice(0, 30);
}

function toBase32(value: bigint): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 32n) text = `${digits32[Number(rest % 32n)]}${text}`;
  return text;
}

function fromBase32(text: string): string {
  let value = 0n;
  for (const character of text) {
    const digit = digits32.indexOf(character);
    if (digit < 0) fail(`argument for base32d operator is "${text}", which is not a base 32 number`);
    value = BigInt.asUintN(64, value * 32n + BigInt(digit));
  }
  return String(BigInt.asIntN(64, value));
}

/** As C computes it in 64 bits: what does not fit is lost. */
function fromBase62(text: string): string {
  let value = 0n;
  for (const character of text) {
    const digit = digits62.indexOf(character);
    if (digit < 0) fail(`argument for base62d operator is "${text}", which is not a base 62 number`);
    value = BigInt.asUintN(64, value * 62n + BigInt(digit));
  }
  return String(BigInt.asIntN(64, value));
}

/** Seconds as the 32 bits that Exim has for them hold them. */
function wrapped(seconds: bigint): number {
  return Number(BigInt.asIntN(32, seconds));
}

/** The lowest 32 bits of any number of digits, without converting them as one number. */
function secondsOf(digits: string): number {
  let value = 0;
  for (const digit of digits) value = (Math.imul(value, 10) + Number(digit)) | 0;
  return value;
}

function interval(text: Text): string {
  const seconds = parseInterval(text.value);
  const value = seconds === undefined ? -1 : wrapped(BigInt(seconds));
  return value < 0
    ? fail(`string "${text.value}" is not an Exim time interval in "time_eval" operator`)
    : String(value);
}

function random(text: Text): string {
  const limit = trim(text.value) === '' ? fail('integer expected but "" found') : parseInteger(text.value);
  if (/^[ \t-\r]*-\d/.test(text.value)) return fail(`non-negative integer expected but "${text.value}" found`);
  if (typeof limit !== 'bigint') return fail(limit.error);
  return limit === 0n ? '0' : String(crypto().randomInt(Number(limit > 2n ** 47n ? 2n ** 47n : limit)));
}

const arithmetic = (name: string, decimalOnly: boolean): Operator => ({
  name,
  doc: 'value of an arithmetic expression',
  evaluate: (text) => {
    const value = evaluate(text.value, decimalOnly);
    return typeof value === 'bigint' ? String(value) : fail(`error in expression evaluation: ${value.error}`);
  },
});

export const numberOperators: readonly Operator[] = [
  arithmetic('eval', false),
  arithmetic('eval10', true),
  { name: 'base32', doc: 'a decimal number in base 32', evaluate: (text) => toBase32(decimal(text, 'base32')) },
  { name: 'base32d', doc: 'a number in base 32 as decimal', evaluate: (text) => fromBase32(text.value) },
  {
    name: 'base62',
    doc: 'a decimal number in base 62, its last six digits',
    evaluate: (text) => base62(decimal(text, 'base62'), 6).slice(-6),
  },
  {
    name: 'base62d',
    doc: 'a number in base 62 as decimal',
    evaluate: (text) => fromBase62(text.value),
  },
  {
    name: 'time_eval',
    doc: 'a time interval in seconds',
    evaluate: interval,
  },
  {
    name: 'time_interval',
    doc: 'seconds as a time interval',
    evaluate: (text) =>
      /^\d*$/.test(text.value)
        ? formatInterval(secondsOf(text.value))
        : fail(`string "${text.value}" is not a positive number in "time_interval" operator`),
  },
  {
    name: 'randint',
    doc: 'a random number below the given one',
    evaluate: random,
  },
];
