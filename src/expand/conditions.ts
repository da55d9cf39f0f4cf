/** The list of all conditions (Exim spec 11.7), and how one is read. */

import { authenticationConditions } from './conditions/authentication.ts';
import { comparisonConditions } from './conditions/compare.ts';
import { logicConditions } from './conditions/logic.ts';
import { matchConditions } from './conditions/match.ts';
import { passwordConditions } from './conditions/passwords.ts';
import { surroundingConditions } from './conditions/surroundings.ts';
import type { ConditionRow } from './evaluate.ts';
import { ParseProblem, type Reader } from './reader.ts';
import type { Condition } from './tree.ts';

export const conditions: ReadonlyMap<string, ConditionRow> = new Map(
  [
    ...comparisonConditions,
    ...logicConditions,
    ...matchConditions,
    ...surroundingConditions,
    ...passwordConditions,
    ...authenticationConditions,
  ].map((row) => [row.name, row]),
);

/** Reads a condition with its strings, after any number of `!`. */
export function readCondition(reader: Reader): Condition {
  const { at } = reader;
  let negated = false;
  for (;;) {
    reader.skipBlanks();
    if (!reader.accept('!')) break;
    negated = !negated;
  }
  const name = reader.take(/[<>]=?|==?|[A-Za-z][A-Za-z0-9_]*/y);
  if (name === '') throw new ParseProblem(`condition name expected, but found "${reader.rest.slice(0, 16)}"`);
  const row = conditions.get(name);
  if (row === undefined) throw new ParseProblem(`unknown condition "${name}"`);
  return { at, name, negated, ...row.parse(reader) };
}
