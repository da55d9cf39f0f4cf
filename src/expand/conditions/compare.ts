/** Conditions that compare strings or numbers (Exim spec 11.7). */

import { lower } from '../../lib/octets.ts';
import { parseInteger } from '../../lib/sizes.ts';
import type { Text } from '../../safe/taint.ts';
import type { ConditionRow } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { stringsCondition } from './shapes.ts';

export type Comparison = (a: string, b: string) => boolean;

/** The number a text stands for. */
export function integer(text: string): bigint {
  const value = parseInteger(text);
  return typeof value === 'bigint' ? value : fail(value.error);
}

const numeric = (compare: (a: bigint, b: bigint) => boolean): Comparison => {
  return (a, b) => compare(integer(a), integer(b));
};

/**
 * As strings without regard to case. In Exim, of two strings of which one begins with the other, each is greater than
 * the other one.
 */
const caseless = (compare: Comparison): Comparison => {
  return (first, second) => {
    const [a, b] = [lower(first), lower(second)];
    const isBeginning = a !== b && (a.startsWith(b) || b.startsWith(a));
    return isBeginning ? compare('b', 'a') : compare(a, b);
  };
};

const equal: Comparison = (a, b) => a === b;
const greater: Comparison = (a, b) => a > b;
const greaterOrEqual: Comparison = (a, b) => a >= b;
const less: Comparison = (a, b) => a < b;
const lessOrEqual: Comparison = (a, b) => a <= b;

/** All comparisons of two strings by the name of their condition; `${sort…}` uses some of them. */
export const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ['=', numeric((a, b) => a === b)],
  ['==', numeric((a, b) => a === b)],
  ['>', numeric((a, b) => a > b)],
  ['>=', numeric((a, b) => a >= b)],
  ['<', numeric((a, b) => a < b)],
  ['<=', numeric((a, b) => a <= b)],
  ['eq', equal],
  ['eqi', caseless(equal)],
  ['gt', greater],
  ['gti', caseless(greater)],
  ['ge', greaterOrEqual],
  ['gei', caseless(greaterOrEqual)],
  ['lt', less],
  ['lti', caseless(less)],
  ['le', lessOrEqual],
  ['lei', caseless(lessOrEqual)],
]);

const docs: ReadonlyMap<string, string> = new Map([
  ['=', 'the numbers are equal'],
  ['==', 'the numbers are equal'],
  ['>', 'the first number is greater'],
  ['>=', 'the first number is not less'],
  ['<', 'the first number is less'],
  ['<=', 'the first number is not greater'],
  ['eq', 'the strings are equal'],
  ['gt', 'the first string comes later'],
  ['ge', 'the first string does not come earlier'],
  ['lt', 'the first string comes earlier'],
  ['le', 'the first string does not come later'],
]);

function docOf(name: string): string {
  return docs.get(name) ?? `${docs.get(name.slice(0, -1)) ?? ''}, without regard to case`;
}

export const comparisonConditions: readonly ConditionRow[] = [...comparisons].map(([name, compare]) =>
  stringsCondition({
    name,
    doc: docOf(name),
    count: 2,
    ...(/^[<>=]/.test(name) ? { check: (text: Text) => void integer(text.value) } : {}),
    test: (args: readonly Text[]) => compare(args[0]?.value ?? '', args[1]?.value ?? ''),
  }),
);
