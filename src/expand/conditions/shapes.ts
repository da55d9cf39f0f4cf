/** The shapes that conditions have in the text, and the condition rows that follow from them. */

import { type Eventual, inOrder, then } from '../../lib/eventual.ts';
import type { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { type ConditionRow, evaluateAll } from '../evaluate.ts';
import { ExpansionFailure } from '../failure.ts';
import { ParseProblem, type Reader } from '../reader.ts';
import type { Node } from '../tree.ts';

const ordinals = ['1st', '2nd', '3rd'];

/** `count` strings in braces; those from `plainFrom` on are not expanded. */
export function readStrings(reader: Reader, name: string, count: number, plainFrom = count): Node[] {
  const found: Node[] = [];
  for (let i = 0; i < count; i++) {
    reader.skipBlanks();
    if (!reader.accept('{')) {
      throw new ParseProblem(
        i === 0 ? `missing { after "${name}"` : `missing ${ordinals[i] ?? `${i + 1}th`} string in {} after "${name}"`,
        found,
      );
    }
    found.push(reader.within(found, () => reader.inBraces(i < plainFrom ? 'honoured' : 'plain')));
  }
  return found;
}

/** `{{…}{…}}`: strings within braces of their own. */
export function readInner(reader: Reader, name: string, minimum: number, maximum: number): Node[] {
  reader.skipBlanks();
  if (!reader.accept('{')) throw new ParseProblem(`missing { after "${name}"`);
  reader.skipBlanks();
  if (reader.next !== '{') throw new ParseProblem(`too few arguments or bracketing error for ${name}`);
  const found = reader.someArguments(name, 0, maximum);
  if (found.length < minimum) throw new ParseProblem(`too few arguments or bracketing error for ${name}`, found);
  reader.skipBlanks();
  if (reader.next === '{') throw new ParseProblem(`Too many arguments for '${name}' (max is ${maximum})`, found);
  if (!reader.accept('}')) throw new ParseProblem(`missing '}' after '${name}'`, found);
  return found;
}

/** A condition on a fixed number of strings. */
export function stringsCondition(row: {
  readonly name: string;
  readonly doc: string;
  readonly count: number;
  /** Strings from this one on are taken as they stand. */
  readonly plainFrom?: number;
  /** Looks at each string before the next one is expanded; fails when it will not do. */
  readonly check?: (arg: Text) => void;
  readonly test: (args: readonly Text[], context: Context) => Eventual<boolean>;
}): ConditionRow {
  return {
    name: row.name,
    doc: row.doc,
    parse: (reader) => ({ arguments: readStrings(reader, row.name, row.count, row.plainFrom), conditions: [] }),
    compile(condition, compiler) {
      const { check } = row;
      const parts = condition.arguments.map((argument) => {
        const evaluate = compiler.text(argument);
        if (check === undefined) return evaluate;
        return (context: Context): Eventual<Text> =>
          then(evaluate(context), (text) => {
            check(text);
            return text;
          });
      });
      return (context) => then(evaluateAll(parts, context), (args) => row.test(args, context));
    },
  };
}

/** Goes through the items until `step` answers true; answers whether one did. */
export function some<T>(items: readonly T[], step: (item: T) => Eventual<boolean>): Eventual<boolean> {
  let found = false;
  const done = inOrder(items, (item) =>
    then(step(item), (value) => {
      found = value;
      return !found;
    }),
  );
  return then(done, () => found);
}

/** Reads what `read` reads; a mistake in it is told with the place it stands in. */
export function inside<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (problem) {
    if (problem instanceof ParseProblem) throw new ParseProblem(`${problem.message} inside ${place}`, problem.before);
    throw problem;
  }
}

/** Tests what `test` tests, or expands; its failure is told with the place it stands in. */
export function failingInside<T>(
  place: string,
  test: (context: Context) => Eventual<T>,
): (context: Context) => Eventual<T> {
  const explain = (failure: unknown): never => {
    if (!(failure instanceof ExpansionFailure)) throw failure;
    throw new ExpansionFailure(failure.kind, `${failure.message} inside ${place}`);
  };
  return (context) => {
    try {
      const value = test(context);
      return value instanceof Promise ? value.catch(explain) : value;
    } catch (failure) {
      return explain(failure);
    }
  };
}
