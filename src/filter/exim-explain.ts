/** Conditions in words, for a test of a filter with `-v`. */

import { upper } from '../lib/octets.ts';
import type { Teller } from './exim-conditions.ts';
import type { FilterState } from './exim-state.ts';
import type { Comparison, Condition } from './exim-tree.ts';

/** The comparisons as they are said, and as they are denied. */
const verbs: Readonly<Record<Comparison, readonly [said: string, denied: string]>> = {
  begins: ['begins', 'begin'],
  contains: ['contains', 'contain'],
  ends: ['ends', 'end'],
  is: ['is', 'is'],
  matches: ['matches', 'match'],
};

/** With `or` in brackets, unless it is all that is said. */
function describe(condition: Condition, isAll = false): string {
  const not = condition.negated ? 'not ' : '';
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const both = `${describe(condition.left)} ${condition.kind} ${describe(condition.right)}`;
      if (condition.negated) return `not (${both})`;
      return isAll || condition.kind === 'and' ? both : `(${both})`;
    }
    case 'personal':
      return `${not}personal`;
    case 'foranyaddress':
      return `${not}foranyaddress ${condition.list.value} (${describe(condition.condition)})`;
    case 'above':
    case 'below':
      return `${condition.left.value} ${not}${condition.kind} ${condition.right.value}`;
    case 'begins':
    case 'contains':
    case 'ends':
    case 'is':
    case 'matches':
      return `${condition.left.value} ${verbOf(condition)} ${condition.right.value}`;
    default:
      return `${not}${condition.kind}`;
  }
}

function verbOf({ kind, negated, caseful }: { kind: Comparison; negated: boolean; caseful: boolean }): string {
  const plain = verbs[kind][negated ? 1 : 0];
  const verb = caseful ? upper(plain) : plain;
  if (!negated) return verb;
  return kind === 'is' ? `${verb} not` : `does not ${verb}`;
}

/** Tells what came out of the conditions of an `if` that stands in `depth` others. */
export function tellerOf(whole: Condition, state: FilterState, depth: number): Teller {
  const indent = ' '.repeat(1 + 2 * depth);
  return {
    note: (text) => state.explain(`${indent}${text}\n`),
    result(condition, result) {
      const what = condition === whole ? 'Condition' : 'Sub-condition';
      if (state.request.test?.explain !== undefined) {
        state.explain(`${indent}${what} is ${result}: ${describe(condition, true)} \n`);
      }
    },
  };
}
