/**
 * Regular expressions whose time doubles with each further character: a repetition within a repetition, with nothing
 * between the rounds that tells where one ends, as `(a+)+` or `(\w+\s?)*`. `(\w+\.)*` is none: the dot ends each round.
 */

import { type CharacterSet, none } from './character-sets.ts';
import { type Element, readPattern, type Sequence } from './pattern-tree.ts';

/** Rounds from which on a count is as good as endless. */
const many = 16;

const longestPattern = 10_000;

const repeats = ({ most, keeps }: Element): boolean => most >= many && !keeps;

/** All octets that an element may match. */
function octetsOf({ set, alternatives = [] }: Element): CharacterSet {
  let found = set ?? none;
  for (const sequence of alternatives) for (const element of sequence) found |= octetsOf(element);
  return found;
}

function canBeEmpty({ least, alternatives }: Element): boolean {
  return least === 0 || (alternatives?.some((sequence) => sequence.every(canBeEmpty)) ?? false);
}

/** The repetitions in one round, each with what must be matched beside it. */
function* repetitionsIn(sequence: Sequence, beside: readonly Element[]): Generator<[Element, readonly Element[]]> {
  for (const [at, element] of sequence.entries()) {
    const others = [...beside, ...sequence.filter((each, index) => index !== at && !canBeEmpty(each))];
    if (repeats(element)) yield [element, others];
    else if (element.most < many && !element.keeps) {
      for (const inner of element.alternatives ?? []) yield* repetitionsIn(inner, others);
    }
  }
}

function isAmbiguousRound(sequence: Sequence): boolean {
  for (const [repetition, others] of repetitionsIn(sequence, [])) {
    const octets = octetsOf(repetition);
    if (others.every((other) => (octetsOf(other) & octets) !== none)) return true;
  }
  return false;
}

/** Two alternatives of one octet each that share one. */
function overlap(alternatives: readonly Sequence[]): boolean {
  let seen = none;
  for (const sequence of alternatives) {
    const [first, ...rest] = sequence;
    if (first?.set === undefined || rest.length > 0) continue;
    if ((seen & first.set) !== none) return true;
    seen |= first.set;
  }
  return false;
}

function explodes(element: Element): boolean {
  const { alternatives } = element;
  if (alternatives === undefined) return false;
  if (repeats(element) && (alternatives.some(isAmbiguousRound) || overlap(alternatives))) return true;
  return alternatives.some((sequence) => sequence.some(explodes));
}

/** Whether a text can be made for which the pattern takes time beyond all measure. */
export function isExplosive(pattern: string): boolean {
  if (pattern.length > longestPattern) return false;
  return readPattern(pattern)?.some((sequence) => sequence.some(explodes)) ?? false;
}
