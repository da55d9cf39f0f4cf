/** Operators on numbers, times and other bases. */

import { randomInt } from 'node:crypto';
import { evaluate } from '../../lib/arithmetic.ts';
import { base62, fromBase62 } from '../../lib/base62.ts';
import { formatInterval, parseInterval } from '../../lib/intervals.ts';
import { parseInteger } from '../../lib/sizes.ts';
import type { Text } from '../../safe/taint.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

const digits32 = 'abcdefghijklmnopqrstuvwxyz234567';

function decimal(text: Text, name: string): bigint {
  if (!/^\d+$/.test(text.value))
    fail(`argument for ${name} operator is "${text.value}", which is not a decimal number`);
  return BigInt.asUintN(64, BigInt(text.value));
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
  return String(value);
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
  { name: 'base62', doc: 'a decimal number in base 62', evaluate: (text) => base62(decimal(text, 'base62'), 6) },
  {
    name: 'base62d',
    doc: 'a number in base 62 as decimal',
    evaluate: (text) =>
      String(
        fromBase62(text.value) ??
          fail(`argument for base62d operator is "${text.value}", which is not a base 62 number`),
      ),
  },
  {
    name: 'time_eval',
    doc: 'a time interval in seconds',
    evaluate: (text) =>
      String(
        parseInterval(text.value) ??
          fail(`string "${text.value}" is not an Exim time interval in "time_eval" operator`),
      ),
  },
  {
    name: 'time_interval',
    doc: 'seconds as a time interval',
    evaluate: (text) =>
      /^\d+$/.test(text.value)
        ? formatInterval(Number(text.value))
        : fail(`string "${text.value}" is not a positive number in "time_interval" operator`),
  },
  {
    name: 'randint',
    doc: 'a random number below the given one',
    evaluate: (text) => {
      const limit = parseInteger(text.value);
      if (typeof limit !== 'bigint') return fail(limit.error);
      if (limit < 0n) return fail(`non-negative integer expected but "${text.value}" found`);
      return limit === 0n ? '0' : String(randomInt(Number(limit > 2n ** 47n ? 2n ** 47n : limit)));
    },
  },
];
