/** The shapes that conditions have in the text, and the condition rows that follow from them. */

import { type Eventual, inOrder, then } from '../../lib/eventual.ts';
import type { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { type ConditionRow, evaluateAll } from '../evaluate.ts';
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

/** A condition on a fixed number of strings. */
export function stringsCondition(row: {
  readonly name: string;
  readonly doc: string;
  readonly count: number;
  /** Strings from this one on are taken as they stand. */
  readonly plainFrom?: number;
  readonly test: (args: readonly Text[], context: Context) => Eventual<boolean>;
}): ConditionRow {
  return {
    name: row.name,
    doc: row.doc,
    parse: (reader) => ({ arguments: readStrings(reader, row.name, row.count, row.plainFrom), conditions: [] }),
    compile(condition, compiler) {
      const parts = condition.arguments.map((argument) => compiler.text(argument));
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

/** Reads what `read` reads; a mistake in it is told with the group it stands in. */
export function inside<T>(group: string, read: () => T): T {
  try {
    return read();
  } catch (problem) {
    if (problem instanceof ParseProblem)
      throw new ParseProblem(`${problem.message} inside ${group} condition`, problem.before);
    throw problem;
  }
}
