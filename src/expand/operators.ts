/** The list of all operators (Exim spec 11.6). */

import type { Operator } from './evaluate.ts';
import { addressOperators } from './operators/addresses.ts';
import { digestOperators } from './operators/digests.ts';
import { internationalOperators } from './operators/international.ts';
import { numberOperators } from './operators/numbers.ts';
import { surroundingOperators } from './operators/surroundings.ts';
import { textOperators } from './operators/text.ts';

/** `${expand:…}` needs the compiler, which is above this list, and is known to it by this mark. */
export const expandOperator = 'expand';

export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    ...textOperators,
    ...numberOperators,
    ...digestOperators,
    ...addressOperators,
    ...internationalOperators,
    ...surroundingOperators,
  ].map((operator) => [operator.name, operator]),
);

/**
 * The operator of a name as written: the longest name that fits up to an underscore, what follows is its option.
 * `${quote_<type>:…}` is an operator for every lookup type.
 */
export function operatorNamed(
  name: string,
): { readonly operator: Operator | typeof expandOperator; readonly option: string } | undefined {
  if (name === expandOperator) return { operator: expandOperator, option: '' };
  const whole = operators.get(name);
  if (whole !== undefined) return { operator: whole, option: '' };
  const underscore = name.indexOf('_');
  if (underscore < 0) return undefined;
  const head = name.slice(0, underscore);
  const option = name.slice(underscore + 1);
  const operator = head === 'quote' ? operators.get('quote_') : operators.get(head);
  return operator && { operator, option };
}
