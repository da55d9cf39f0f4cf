/** Items that go through a list: map, filter, reduce, sort, listextract. */

import { type Eventual, inOrder, lastly, then } from '../../lib/eventual.ts';
import { joinList, splitList } from '../../lib/list-text.ts';
import { trim } from '../../lib/octets.ts';
import { parseInteger } from '../../lib/sizes.ts';
import { Text } from '../../safe/taint.ts';
import { type Comparison, comparisons } from '../conditions/compare.ts';
import { failingInside, inside } from '../conditions/shapes.ts';
import { conditions } from '../conditions.ts';
import type { Context } from '../context.ts';
import { compileBranches, type Evaluate, type Item, withItem } from '../evaluate.ts';
import { ExpansionFailure, fail } from '../failure.ts';
import { type ItemParts, ParseProblem, type Reader } from '../reader.ts';
import type { Node } from '../tree.ts';

const ordinals = ['first', 'second'];

/** `name{list}…{last}`: some strings and one more that is expanded for each item of the list. */
function readWithLast(reader: Reader, name: string, strings: number): ItemParts {
  const before = [...reader.named(name, ordinals.slice(0, strings), 'arg of')];
  reader.skipBlanks();
  if (!reader.accept('{'))
    throw new ParseProblem(`missing '{' for ${name === 'sort' ? 'extractor' : 'last'} arg of ${name}`, before);
  const start = reader.at;
  const readLast = (): Node => reader.within(before, () => reader.inBraces());
  const last = name === 'sort' ? readLast() : inside(`"${name}" item`, readLast);
  const source = reader.text.slice(start, reader.at - 1);
  reader.skipBlanks();
  if (!reader.accept('}')) throw new ParseProblem(`missing } at end of "${name}"`, before);
  return { words: [source], arguments: [...before, last] };
}

/** Computes something for each item, one after the other. */
function each<T>(items: readonly string[], step: (item: string) => Eventual<T>): Eventual<T[]> {
  const values: T[] = [];
  return then(
    inOrder(items, (item) =>
      then(step(item), (value) => {
        values.push(value);
        return true;
      }),
    ),
    () => values,
  );
}

const map: Item = {
  name: 'map',
  doc: 'a list with each item changed',
  parse: (reader) => readWithLast(reader, 'map', 1),
  compile({ arguments: [listNode, valueNode] }, compiler) {
    if (listNode === undefined || valueNode === undefined) throw new Error('map without its parts');
    const list = compiler.text(listNode);
    const value = failingInside('"map" item', compiler.text(valueNode));
    return (context) =>
      then(list(context), (text) => {
        const { items, separator } = splitList(text.value);
        const evaluate = (item: string): Eventual<Text> =>
          withItem(context, Text.derived(item, text), undefined, () => value(context));
        return then(each(items, evaluate), (values) => listOf(values, separator, text));
      });
  },
};

/** Values joined to a list; each keeps its own taint. */
function listOf(values: readonly Text[], separator: string, source: Text): Text {
  if (source.isClean && values.every((value) => value.isClean)) {
    return Text.configured(
      joinList(
        values.map((value) => value.value),
        separator,
      ),
    );
  }
  return Text.derivedFrom(
    joinList(
      values.map((value) => value.value),
      separator,
    ),
    [source, ...values],
  );
}

const filter: Item = {
  name: 'filter',
  doc: 'those items of a list for which a condition is true',
  parse(reader) {
    const list = reader.named('filter', ['first'], 'arg of');
    reader.skipBlanks();
    if (!reader.accept('{')) throw new ParseProblem("missing '{' for last arg of filter", list);
    const condition = inside('"filter" item', () => reader.within(list, () => reader.condition()));
    reader.skipBlanks();
    if (!reader.accept('}')) {
      throw new ParseProblem(
        'missing } at end of condition or expression inside "filter"; could be an unquoted } in the content',
        list,
      );
    }
    reader.skipBlanks();
    if (!reader.accept('}')) throw new ParseProblem('missing } at end of "filter"', list);
    return { words: [], arguments: list, condition };
  },
  compile({ arguments: [listNode], condition }, compiler) {
    if (listNode === undefined || condition === undefined) throw new Error('filter without its parts');
    const list = compiler.text(listNode);
    const test = failingInside('"filter" condition', compiler.test(condition));
    return (context) =>
      then(list(context), (text) => {
        const { items, separator } = splitList(text.value);
        const keep = (item: string): Eventual<boolean> =>
          withItem(context, Text.derived(item, text), undefined, () => test(context));
        return then(each(items, keep), (kept) =>
          Text.derived(
            joinList(
              items.filter((_, i) => kept[i]),
              separator,
            ),
            text,
          ),
        );
      });
  },
};

const reduce: Item = {
  name: 'reduce',
  doc: 'one value computed from all items of a list',
  parse: (reader) => readWithLast(reader, 'reduce', 2),
  compile({ arguments: [listNode, startNode, stepNode] }, compiler) {
    if (listNode === undefined || startNode === undefined || stepNode === undefined)
      throw new Error('reduce without its parts');
    const list = compiler.text(listNode);
    const start = compiler.text(startNode);
    const step = failingInside('"reduce" item', compiler.text(stepNode));
    return (context) =>
      then(list(context), (text) =>
        then(start(context), (first) => {
          let value = first;
          const { items } = splitList(text.value);
          const done = inOrder(items, (item) =>
            then(
              withItem(context, Text.derived(item, text), value, () => step(context)),
              (next) => {
                value = next;
                return true;
              },
            ),
          );
          return then(done, () => value);
        }),
      );
  },
};

/** The comparison that `sort` names; those for equality put nothing in order. */
function sortComparison(name: string): Comparison {
  const comparison = comparisons.get(name);
  if (!/^(?:[A-Za-z]|[<>]=?$|==?$)/.test(name))
    return fail(`condition name expected, but found "${name.slice(0, 16)}"`);
  if (comparison === undefined) {
    return fail(conditions.has(name) ? 'comparator not handled for sort' : `unknown condition "${name}"`);
  }
  return /^=|^eq/.test(name) ? fail('comparator not handled for sort') : comparison;
}

interface Keyed {
  readonly item: string;
  readonly key: string;
}

/** As many items as may be compared each with each. */
const few = 2000;

/**
 * In the order of the comparison. As in Exim, a key that is no number comes before none and none before it: such items
 * stay where they were put, which only the slow way of sorting tells.
 */
function sorted(items: readonly Keyed[], comesBefore: Comparison, name: string): readonly Keyed[] {
  const odd = /^[<>=]/.test(name) && items.some(({ key }) => typeof parseInteger(key) !== 'bigint');
  if (!odd || items.length > few) {
    return [...items].sort((a, b) => (comesBefore(a.key, b.key) ? -1 : comesBefore(b.key, a.key) ? 1 : 0));
  }
  const isNumber = ({ key }: Keyed): boolean => typeof parseInteger(key) === 'bigint';
  const order: Keyed[] = [];
  for (const item of items) {
    const place = isNumber(item) ? order.findIndex((other) => isNumber(other) && comesBefore(item.key, other.key)) : -1;
    order.splice(place < 0 ? order.length : place, 0, item);
  }
  return order;
}

/** The key of an item; none may be empty. Whatever goes wrong with it is told so, as in Exim. */
function keyOfSort(evaluate: Evaluate, source: string): Evaluate {
  const problem = `field-extract in sort: "${source}"`;
  const explain = (failure: unknown): never => {
    if (!(failure instanceof ExpansionFailure)) throw failure;
    throw new ExpansionFailure(failure.kind, problem);
  };
  return (context) => {
    let key: Eventual<Text>;
    try {
      key = evaluate(context);
    } catch (failure) {
      return explain(failure);
    }
    const explained = key instanceof Promise ? key.catch(explain) : key;
    return then(explained, (text) => (text.value === '' ? fail(problem) : text));
  };
}

const sort: Item = {
  name: 'sort',
  doc: 'a list in the order of a comparison',
  parse: (reader) => readWithLast(reader, 'sort', 2),
  compile({ words: [source = ''], arguments: [listNode, comparatorNode, keyNode] }, compiler) {
    if (listNode === undefined || comparatorNode === undefined || keyNode === undefined)
      throw new Error('sort without its parts');
    const list = compiler.text(listNode);
    const comparator = compiler.text(comparatorNode);
    const key = keyOfSort(compiler.text(keyNode), source);
    return (context) =>
      then(list(context), (text) =>
        then(comparator(context), (name) => {
          const comesBefore = sortComparison(name.value);
          const { items, separator } = splitList(text.value);
          const keyOf = (item: string): Eventual<Text> =>
            withItem(context, Text.derived(item, text), undefined, () => key(context));
          return then(each(items, keyOf), (keys) => {
            const keyed = items.map((item, i) => ({ item, key: keys[i]?.value ?? '' }));
            const order = sorted(keyed, comesBefore, name.value);
            return Text.derived(
              joinList(
                order.map(({ item }) => item),
                separator,
              ),
              text,
            );
          });
        }),
      );
  },
};

const listExtract: Item = {
  name: 'listextract',
  doc: 'one item of a list by its number',
  parse(reader) {
    const args = reader.named('listextract', ['1', '2'], 'of');
    return { words: [], arguments: args, ...reader.within(args, () => reader.branches('listextract')) };
  },
  compile(node, compiler) {
    const parts = node.arguments.map((argument) => compiler.text(argument));
    const branches = compileBranches(node, compiler);
    return (context: Context) => {
      const saved = context.results;
      return lastly(
        () =>
          then(parts[0]?.(context) ?? Text.empty, (number) =>
            then(parts[1]?.(context) ?? Text.empty, (text) => {
              const digits = trim(number.value);
              if (digits === '') return fail('first argument of "listextract" must not be empty');
              if (!/^-?\d+$/.test(digits)) return fail('first argument of "listextract" must be numeric');
              const { items } = splitList(text.value);
              const index = Number(digits) > 0 ? Number(digits) - 1 : items.length + Number(digits);
              const found = digits === '0' ? undefined : items[index];
              return branches(
                { success: found !== undefined, value: found === undefined ? undefined : Text.derived(found, text) },
                context,
              );
            }),
          ),
        () => {
          context.results = { ...saved, runrc: context.results.runrc };
        },
      );
    };
  },
};

export const listItems: readonly Item[] = [map, filter, reduce, sort, listExtract];
