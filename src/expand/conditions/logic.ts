/** Conditions on truth values: and, or, bool, and those that look through a list. */

import { type Eventual, then } from '../../lib/eventual.ts';
import { jsonElements, jsonString } from '../../lib/json-text.ts';
import { splitList } from '../../lib/list-text.ts';
import { lower, trim } from '../../lib/octets.ts';
import { Text } from '../../safe/taint.ts';
import { type ConditionRow, withItem } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { ParseProblem } from '../reader.ts';
import type { Condition } from '../tree.ts';
import { failingInside, inside, readStrings, some, stringsCondition } from './shapes.ts';

/** `and{…}` and `or{…}`: `wanted` is the value of a part that decides the whole. */
function group(name: 'and' | 'or', doc: string, wanted: boolean): ConditionRow {
  return {
    name,
    doc,
    parse(reader) {
      reader.skipBlanks();
      if (!reader.accept('{')) throw new ParseProblem(`missing { after "${name}"`);
      const conditions: Condition[] = [];
      for (;;) {
        reader.skipBlanks();
        if (reader.accept('}')) return { arguments: [], conditions };
        if (!reader.accept('{')) {
          throw new ParseProblem(`each subcondition inside an "${name}{...}" condition must be in its own {}`);
        }
        conditions.push(inside(`"${name}{...}" condition`, () => reader.condition()));
        reader.skipBlanks();
        if (!reader.accept('}')) throw new ParseProblem(`missing } at end of condition inside "${name}" group`);
      }
    },
    compile(condition, compiler) {
      const place = `"${name}{...}" condition`;
      const tests = condition.conditions.map((part) => failingInside(place, compiler.test(part)));
      return (context) =>
        then(
          some(tests, (test) => then(test(context), (value) => value === wanted)),
          (decided) => (decided ? wanted : !wanted),
        );
    },
  };
}

/** `forany` and `forall` on the items that `split` finds: `wanted` is the value that ends the search. */
function forItems(
  name: string,
  doc: string,
  wanted: boolean,
  split: (text: string) => readonly string[],
): ConditionRow {
  return {
    name,
    doc,
    parse(reader) {
      const list = readStrings(reader, name, 1);
      reader.skipBlanks();
      if (!reader.accept('{')) throw new ParseProblem(`missing { after "${name}"`, list);
      const condition = inside(`"${name}" condition`, () => reader.within(list, () => reader.condition()));
      reader.skipBlanks();
      if (!reader.accept('}')) throw new ParseProblem(`missing } at end of condition inside "${name}"`, list);
      return { arguments: list, conditions: [condition] };
    },
    compile({ arguments: [listNode], conditions: [part] }, compiler) {
      if (listNode === undefined || part === undefined) throw new Error(`${name} without its parts`);
      const list = compiler.text(listNode);
      const test = failingInside(`"${name}" condition`, compiler.test(part));
      return (context) =>
        then(list(context), (text) => {
          const items = split(text.value);
          if (items.length === 0) return false;
          return then(
            some(items, (item) =>
              then(
                withItem(context, Text.derived(item, text), undefined, () => test(context)),
                (value) => value === wanted,
              ),
            ),
            (found) => found === wanted,
          );
        });
    },
  };
}

const elements = (text: string): readonly string[] => {
  const found = jsonElements(text);
  return 'missing' in found ? fail(`${found.missing} for extract json`) : found.items;
};
const strings = (text: string): readonly string[] =>
  elements(text).map((element) => jsonString(element) ?? fail(`missing '"' wrapping string result for extract jsons`));

/** What a text says of truth, strictly; nothing when it says neither. */
export function strictBoolean(text: string): boolean | undefined {
  const word = lower(trim(text));
  if (word === 'true' || word === 'yes') return true;
  if (word === '' || word === 'false' || word === 'no') return false;
  return /^-?\d+$/.test(word) ? /[1-9]/.test(word) : undefined;
}

/** As the condition option of routers takes it: all is true but an empty text, 0, no and false. */
export function laxBoolean(text: string): boolean {
  return !['', '0', 'no', 'false'].includes(lower(trim(text)));
}

const inList = (name: string, doc: string, fold: (text: string) => string): ConditionRow =>
  stringsCondition({
    name,
    doc,
    count: 2,
    test: ([subject, list], context): Eventual<boolean> => {
      if (subject === undefined || list === undefined) return false;
      const wanted = fold(subject.value);
      const found = splitList(list.value).items.find((item) => fold(item) === wanted);
      if (found !== undefined) context.results.value = Text.derived(found, list);
      return found !== undefined;
    },
  });

export const logicConditions: readonly ConditionRow[] = [
  group('and', 'all conditions are true', false),
  group('or', 'one of the conditions is true', true),
  forItems('forany', 'the condition is true for an item of the list', true, (text) => splitList(text).items),
  forItems('forall', 'the condition is true for all items of the list', false, (text) => splitList(text).items),
  forItems('forany_json', 'the condition is true for an element of the array', true, elements),
  forItems('forall_json', 'the condition is true for all elements of the array', false, elements),
  forItems('forany_jsons', 'the condition is true for a string of the array', true, strings),
  forItems('forall_jsons', 'the condition is true for all strings of the array', false, strings),
  stringsCondition({
    name: 'bool',
    doc: 'the text says yes, in the strict sense',
    count: 1,
    test: ([text]) => strictBoolean(text?.value ?? '') ?? fail(`unrecognised boolean value "${text?.value}"`),
  }),
  stringsCondition({
    name: 'bool_lax',
    doc: 'the text says yes, as for a condition option',
    count: 1,
    test: ([text]) => laxBoolean(text?.value ?? ''),
  }),
  inList('inlist', 'the string is an item of the list', (text) => text),
  inList('inlisti', 'the string is an item of the list, without regard to case', lower),
];
