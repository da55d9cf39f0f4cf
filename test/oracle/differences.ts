/**
 * What differs from the real Exim on purpose, as data: the same list stands in docs/compatibility.md with more words. A
 * row says which pairs it is good for as narrowly as can be told from input and outputs.
 */

import type { Pair } from './compare.ts';

interface Difference {
  readonly subjects: readonly string[];
  readonly why: string;
  applies(input: string, real: string, ours: string): boolean;
}

const differences: readonly Difference[] = [];

/** Why a pair may differ. A program that died is a reason when it is the real one. */
export function reasonFor(subject: string, { input, real, ours }: Pair): string | undefined {
  if (ours === undefined) return undefined;
  if (real === undefined) return 'the real one dies';
  return differences.find((each) => each.subjects.includes(subject) && each.applies(input, real, ours))?.why;
}
