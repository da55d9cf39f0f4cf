/**
 * What a compiled expansion is, and how items, operators and conditions are declared: each is one literal, and the
 * lists `items.ts`, `operators.ts` and `conditions.ts` name them all.
 */

import { type Eventual, inOrder, lastly, then } from '../lib/eventual.ts';
import { Text } from '../safe/taint.ts';
import type { Context } from './context.ts';
import { forceFailure } from './failure.ts';
import type { ItemParts, Reader } from './reader.ts';
import type { Condition, ItemNode, Node } from './tree.ts';

export type Evaluate = (context: Context) => Eventual<Text>;
export type Test = (context: Context) => Eventual<boolean>;

/** What the compiler does for items and conditions, which are below it. */
export interface Compiler {
  text(node: Node): Evaluate;
  test(condition: Condition): Test;
  /** Compiles the text of a part that is expanded on its own. */
  source(text: string): Evaluate;
  /** Expands text that was found at run time; if it is to be `explained`, a failure says what was expanded. */
  again(text: Text, context: Context, explained: boolean): Eventual<Text>;
  /** The value of a variable by its name; nothing when there is no such variable. */
  variable(name: string): ((context: Context) => Eventual<Text | undefined>) | undefined;
  header(node: Node & { kind: 'header' }): (context: Context) => Text | undefined;
}

export interface Item {
  readonly name: string;
  readonly doc: string;
  parse(reader: Reader): ItemParts;
  compile(node: ItemNode, compiler: Compiler): Evaluate;
}

export interface Operator {
  readonly name: string;
  readonly doc: string;
  /** `option` is what stands behind the underscore in the name. Answers the result, as bad as the operand. */
  evaluate(operand: Text, option: string, context: Context): Eventual<Text | string>;
}

export interface ConditionRow {
  readonly name: string;
  readonly doc: string;
  parse(reader: Reader): Pick<Condition, 'arguments' | 'conditions' | 'word' | 'header'>;
  compile(condition: Condition, compiler: Compiler): Test;
}

/** Evaluates one after the other. */
export function evaluateAll(parts: readonly Evaluate[], context: Context): Eventual<Text[]> {
  const values: Text[] = [];
  const done = inOrder(parts, (part) =>
    then(part(context), (value) => {
      values.push(value);
      return true;
    }),
  );
  return then(done, () => values);
}

/** An item whose strings are all expanded before it is computed. */
export function plainItem(row: {
  readonly name: string;
  readonly doc: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly evaluate: (args: readonly Text[], context: Context) => Eventual<Text>;
}): Item {
  return {
    name: row.name,
    doc: row.doc,
    parse: (reader) => ({ words: [], arguments: reader.arguments(row.name, row.minimum, row.maximum) }),
    compile(node, compiler) {
      const parts = node.arguments.map((argument) => compiler.text(argument));
      return (context) => then(evaluateAll(parts, context), (args) => row.evaluate(args, context));
    },
  };
}

/** The result of an item that has strings for yes and no. */
export interface Outcome {
  readonly success: boolean;
  /** Becomes `$value` while the chosen string is expanded, and the result when there is none. */
  readonly value?: Text | undefined;
  /** Becomes `$1`, `$2` … */
  readonly numeric?: readonly Text[] | undefined;
}

/** Compiles the strings for yes and no of an item; what they are expanded with is put back afterwards. */
export function compileBranches(
  node: ItemNode,
  compiler: Compiler,
): (outcome: Outcome, context: Context) => Eventual<Text> {
  const yes = node.yes === undefined ? undefined : compiler.text(node.yes);
  const no = node.no === undefined || node.no === 'fail' ? undefined : compiler.text(node.no);
  return ({ success, value, numeric }, context) => {
    if (success && yes === undefined) return value ?? Text.configured('true');
    if (!success && node.no === 'fail') return forceFailure(`"${node.name}" failed and "fail" requested`);
    const branch = success ? yes : no;
    if (branch === undefined) return Text.empty;
    const saved = context.results;
    context.results = { ...saved, value: value ?? saved.value, numeric: numeric ?? saved.numeric };
    const changed = context.results;
    return lastly(
      () => branch(context),
      () => {
        context.results = { ...saved, runrc: changed.runrc };
      },
    );
  };
}

/** `evaluate` with `$item` (and `$value`) set, which are put back afterwards. */
export function withItem<T>(
  context: Context,
  item: Text,
  value: Text | undefined,
  evaluate: () => Eventual<T>,
): Eventual<T> {
  const saved = context.results;
  context.results = { ...saved, item, value: value ?? saved.value };
  return lastly(evaluate, () => {
    context.results = { ...saved, numeric: context.results.numeric, runrc: context.results.runrc };
  });
}
