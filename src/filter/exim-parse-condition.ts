/** Reads the condition of an `if` (Exim's filter specification 3.21 - 3.30). Without brackets, `and` binds closer. */

import { lower, upper } from '../lib/octets.ts';
import type { Text } from '../safe/taint.ts';
import type { FilterReader } from './exim-reader.ts';
import type { Comparison, Condition, PlainTest } from './exim-tree.ts';

/** Brackets in brackets, and `foranyaddress` in each other. */
const mostNested = 100;
/** Conditions with `and` or `or` between them. */
const mostConnected = 1000;

const plainTests: ReadonlySet<string> = new Set<PlainTest>([
  'delivered',
  'error_message',
  'first_delivery',
  'manually_thawed',
]);

/** The comparisons, with the form that fits behind `does`; in capital letters they look at the case. */
const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['above', { kind: 'above' }],
  ['below', { kind: 'below' }],
  ...Object.entries({
    begins: 'begins',
    begin: 'begins',
    contains: 'contains',
    contain: 'contains',
    ends: 'ends',
    end: 'ends',
    is: 'is',
    matches: 'matches',
    match: 'matches',
  } as const).flatMap(([word, kind]): [string, Operator][] => [
    [word, { kind, caseful: false }],
    [upper(word), { kind, caseful: true }],
  ]),
]);

type Operator = { readonly kind: Comparison; readonly caseful: boolean } | { readonly kind: 'above' | 'below' };

/** The condition up to and with the word `then`. */
export function readCondition(reader: FilterReader): Condition {
  return alternatives(reader, 'then', 0);
}

type Closing = 'then' | ')';
type Connection = 'and' | 'or' | 'end';

function alternatives(reader: FilterReader, closing: Closing, depth: number): Condition {
  if (depth > mostNested) reader.fail(`too many nested conditions near line ${reader.line} of filter file`);
  const groups: Condition[][] = [[]];
  const parts: Condition[] = [];
  for (let count = 0; ; count++) {
    if (count > mostConnected) reader.fail(`too many conditions near line ${reader.line} of filter file`);
    parts.push(single(reader, depth));
    const connection = connectionIn(reader, closing);
    if (connection === 'and') continue;
    groups.at(-1)?.push(parts.reduceRight((right, left) => ({ kind: 'and', left, right, negated: false })));
    if (connection === 'end') return joined(groups);
    // as in Exim, what follows an `and` that is not the first goes with that
    if (parts.length > 1 && (groups.at(-1)?.length ?? 0) > 1) groups.push(groups.at(-1)?.splice(-1) ?? []);
    parts.length = 0;
  }
}

/** Groups of alternatives, each group the last of the one before. */
function joined(groups: readonly (readonly Condition[])[]): Condition {
  const either = (left: Condition, right: Condition): Condition => ({ kind: 'or', left, right, negated: false });
  return groups
    .map((group) => [...group])
    .reduceRight((inner, outer) => [...outer, inner.reduce(either)])
    .reduce(either);
}

/** What comes behind a condition. */
function connectionIn(reader: FilterReader, closing: Closing): Connection {
  if (reader.next === '(') reader.fail(`unexpected "(" in line ${reader.line} of filter file`);
  if (reader.next === ')') {
    if (closing !== ')') reader.fail(`unexpected ")" in line ${reader.line} of filter file`);
    reader.bracket();
    return 'end';
  }
  const word = reader.word();
  if (word === 'and' || word === 'or') return word;
  if (word === 'then' && closing === 'then') return 'end';
  if (word === 'then') reader.fail(`missing ")" at end of condition near line ${reader.line} of filter file`);
  return reader.fail(
    `"and" or "or" or "${closing}" expected near line ${reader.line} of filter file, but found "${word}"`,
  );
}

/** One condition, with the `not` before it. */
function single(reader: FilterReader, depth: number): Condition {
  let negated = false;
  for (;;) {
    if (reader.next === '(') {
      reader.bracket();
      const inner = alternatives(reader, ')', depth + 1);
      return negated ? { ...inner, negated: !inner.negated } : inner;
    }
    if (reader.next === ')') reader.fail(`unexpected ")" in line ${reader.line} of filter file`);
    if (reader.atEnd) reader.fail('"then" missing at end of filter file');
    const first = reader.item(true);
    if (first.value === 'then') reader.fail(`unexpected "then" near line ${reader.line} of filter file`);
    if (first.value === 'not') negated = !negated;
    else return named(first, negated, reader, depth);
  }
}

function named(first: Text, negated: boolean, reader: FilterReader, depth: number): Condition {
  const name = first.value;
  if (plainTests.has(name)) return { kind: name as PlainTest, negated };
  if (name === 'personal') {
    const aliases: Text[] = [];
    while (reader.tryWord((word) => word === 'alias', true) !== undefined) aliases.push(reader.item(true));
    return { kind: 'personal', aliases, negated };
  }
  if (name === 'foranyaddress') {
    const list = reader.item(true);
    if (reader.next !== '(') reader.fail(`"(" expected after "foranyaddress" near line ${reader.line} of filter file`);
    reader.bracket();
    return { kind: 'foranyaddress', list, condition: alternatives(reader, ')', depth + 1), negated };
  }
  return comparison(first, negated, reader);
}

/** `is` and `does` may stand before another name, with or without `not`; `is` may also stand for itself. */
function comparison(left: Text, before: boolean, reader: FilterReader): Condition {
  const word = reader.word(true);
  const helping = lower(word);
  if (helping !== 'is' && helping !== 'does') return compared(operators.get(word), word, left, before, reader);
  let negated = before;
  let back = reader.place;
  let follows = reader.word(true);
  if (lower(follows) === 'not') {
    negated = !negated;
    back = reader.place;
    follows = reader.word(true);
  }
  const operator = operators.get(follows);
  if (operator !== undefined || helping === 'does') return compared(operator, follows, left, negated, reader);
  reader.goTo(back);
  return compared({ kind: 'is', caseful: word.startsWith('I') }, word, left, negated, reader);
}

function compared(
  operator: Operator | undefined,
  word: string,
  left: Text,
  negated: boolean,
  reader: FilterReader,
): Condition {
  if (operator === undefined) {
    return reader.fail(`unrecognized condition word "${word}" near line ${reader.line} of filter file`);
  }
  return { ...operator, left, right: reader.item(true), negated };
}
