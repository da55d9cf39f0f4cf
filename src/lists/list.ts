/**
 * Lists of domains, hosts, addresses and local parts (Exim spec 10): how the items of any list are gone through. What an
 * item means is told by the four files beside this one.
 */

import type { Context, ListAnswer, ListKind } from '../expand/context.ts';
import { errorText } from '../lib/errno.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { Cache } from '../lib/lru.ts';
import { trim } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { clean, Text } from '../safe/taint.ts';
import { splitText } from './split-text.ts';

/** What is matched: the text that items are compared with, in the case they are compared in. */
export interface Subject {
  /** The domain or address in lower case, the local part as it is; the IP address of a host. */
  readonly text: string;
  /** The same with its own letters, for items behind `+caseful` and for what regular expressions capture. */
  readonly original: string;
  readonly caseful: boolean;
  /** What an item of a file means that needs to know what cannot be found out; `tell` leaves it to the list. */
  readonly unknown?: Attitude['unknown'];
  /** It need not be an address with a domain: what stands in an SMTP command, for rewriting. */
  readonly isText?: boolean;
  /** For hosts other than the one the context's connection is from. */
  readonly hostName?: string | undefined;
}

/**
 * What an item says: a `ListAnswer`, that something it needs to know of the host cannot be found out, or that a line of
 * the file it names excludes the subject.
 */
export type ItemAnswer =
  | ListAnswer
  | { readonly outcome: 'unknown'; readonly message: string }
  | { readonly outcome: 'excluded' }
  /** The addresses of a name cannot be told now, which `+include_defer` and `+ignore_defer` are for. */
  | { readonly outcome: 'defer'; readonly message: string; readonly ofName: true };

export type ItemTest = (subject: Subject, context: Context) => Eventual<ItemAnswer>;

/** What the kinds of list have to say. */
export interface KindOfList {
  readonly kind: ListKind;
  /** Compiles one item, without its `!`. */
  compile(item: Text): ItemTest;
  /** Where a comment begins in a line of a file. */
  readonly fileComment: RegExp;
  /** Which of `+caseful`, `+include_unknown` and their like change how the items behind them are taken. */
  readonly controls: ReadonlySet<string>;
  /** What a line of a file tells, where that is not what the same item tells in a list. */
  ofFile?(answer: ItemAnswer, line: Text): ItemAnswer;
  /** What a named list said is not kept, as its items mean something else than in other lists. */
  readonly unkept?: true;
}

interface Item {
  readonly negated: boolean;
  readonly source: string;
  readonly test: ItemTest;
  /** One of the controls of its kind of list. */
  readonly control: string | undefined;
}

const noMatch: ListAnswer = { outcome: 'no match' };

export type CompiledList = readonly Item[];

const compiled = new WeakMap<KindOfList, Cache<string, CompiledList>>();

/** The items of a list; lists that come again are compiled once. */
export function compileList(kind: KindOfList, list: Text): CompiledList {
  let cache = compiled.get(kind);
  if (cache === undefined) {
    cache = new Cache(500);
    compiled.set(kind, cache);
  }
  const key = `${originOf(list)}\0${list.value}`;
  let items = cache.get(key);
  if (items === undefined) {
    items = splitText(list).map((item) => compileItem(kind, item, true));
    cache.set(key, items);
  }
  return items;
}

/** What tells apart two lists of the same text whose pieces come from different places. */
function originOf(list: Text): string {
  return list.isClean ? '' : list.pieces.map(({ value, taint }) => `${value.length}${taint}`).join(',');
}

function compileItem(kind: KindOfList, item: Text, filesAllowed: boolean): Item {
  const negation = /^![ \t-\r]*/.exec(item.value)?.[0].length ?? 0;
  const pattern = item.slice(negation);
  const source = item.value;
  const negated = negation > 0;
  if (!negated && kind.controls.has(pattern.value)) {
    return { negated, source, control: pattern.value, test: () => noMatch };
  }
  if (pattern.value.startsWith('/') && filesAllowed) {
    return { negated, source, control: undefined, test: fileTest(kind, pattern) };
  }
  return { negated, source, control: undefined, test: kind.compile(pattern) };
}

function compileLine(kind: KindOfList, line: Text): Item {
  const item = compileItem(kind, line, false);
  const { ofFile } = kind;
  if (ofFile === undefined) return item;
  return { ...item, test: (subject, context) => then(item.test(subject, context), (answer) => ofFile(answer, line)) };
}

/** A file of items, read each time the list is gone through (Exim spec 10.3). */
function fileTest(kind: KindOfList, name: Text): ItemTest {
  return (subject, context) => {
    const path = clean(name);
    if (path === undefined) {
      return {
        outcome: 'defer',
        message: `Tainted name '${name.value}' for list (file or directory name not permitted)`,
      };
    }
    let text: string;
    try {
      text = files.readText(path);
    } catch (error) {
      return { outcome: 'defer', message: `failed to open ${path}: ${errorText(error)}`, fault: true };
    }
    const items = text
      .split('\n')
      .map((line) => trim(line.replace(kind.fileComment, '')))
      .filter((line) => line !== '')
      .map((line) => compileLine(kind, Text.configured(line)));
    const attitude: Attitude = { unknown: subject.unknown ?? 'tell', defer: 'tell', caseful: subject.caseful };
    return matchFrom(0, { items, inFile: true }, subject, context, attitude);
  };
}

/** What the control items seen so far ask for. */
interface Attitude {
  unknown: 'fail' | 'include' | 'ignore' | 'tell';
  defer: 'tell' | 'include' | 'ignore';
  caseful: boolean;
}

/** Goes through the items from left to right until one decides (Exim spec 10.2). */
export function matchItems(items: CompiledList, subject: Subject, context: Context): Eventual<ListAnswer> {
  const attitude: Attitude = { unknown: 'fail', defer: 'tell', caseful: subject.caseful };
  const answer = matchFrom(0, { items, inFile: false }, subject, context, attitude);
  return then(answer, (found) => (found.outcome === 'unknown' || found.outcome === 'excluded' ? noMatch : found));
}

/** Items of a list, or of a file, whose lines count as if they stood in the list. */
interface Items {
  readonly items: CompiledList;
  readonly inFile: boolean;
}

/** When nothing has decided: the list says yes if its last item excludes something. */
const atTheEnd = ({ items, inFile }: Items): ItemAnswer =>
  !inFile && items.findLast(({ control }) => control === undefined)?.negated === true ? { outcome: 'match' } : noMatch;

function matchFrom(
  from: number,
  list: Items,
  subject: Subject,
  context: Context,
  attitude: Attitude,
): Eventual<ItemAnswer> {
  const { items } = list;
  for (let i = from; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) break;
    if (item.control !== undefined) {
      obey(item.control, attitude);
      continue;
    }
    const unknown = attitude.unknown === 'ignore' ? 'ignore' : 'tell';
    const answer = item.test({ ...subject, caseful: attitude.caseful, unknown }, context);
    if (answer instanceof Promise) {
      return answer.then(
        (value) => decide(item, value, list, attitude, context) ?? matchFrom(i + 1, list, subject, context, attitude),
      );
    }
    const decision = decide(item, answer, list, attitude, context);
    if (decision !== undefined) return decision;
  }
  return atTheEnd(list);
}

function obey(control: string, attitude: Attitude): void {
  if (control === '+caseful') attitude.caseful = true;
  else if (control.endsWith('_unknown')) attitude.unknown = control === '+include_unknown' ? 'include' : 'ignore';
  else attitude.defer = control === '+include_defer' ? 'include' : 'ignore';
}

/** What the answer of one item means for the list; nothing when the next item is to be asked. */
function decide(
  item: Item,
  answer: ItemAnswer,
  list: Items,
  attitude: Attitude,
  context: Context,
): ItemAnswer | undefined {
  const excluded: ItemAnswer = list.inFile ? { outcome: 'excluded' } : noMatch;
  const report = (outcome: string): void => {
    if (context.decisions.listening) context.decisions.step('lists', `list item "${item.source}"`, outcome);
  };
  switch (answer.outcome) {
    case 'match':
      // what a named list said was told just before
      if (item.negated || !item.source.startsWith('+')) report(item.negated ? 'excludes' : 'matches');
      return item.negated ? excluded : answer;
    case 'excluded':
      if (item.negated || !item.source.startsWith('+')) report(item.negated ? 'matches' : 'excludes');
      return item.negated ? { outcome: 'match' } : excluded;
    case 'no match':
      return undefined;
    case 'unknown':
      report(`unknown: ${answer.message}`);
      if (attitude.unknown === 'ignore') return undefined;
      if (attitude.unknown === 'tell') return answer;
      if (attitude.unknown === 'fail') {
        context.services.log(`list matching forced to fail: ${answer.message}`, 'unknown_in_list');
        return noMatch;
      }
      context.services.log(`${answer.message}: accepted by +include_unknown`);
      return { outcome: 'match' };
    case 'defer':
      report(`deferred: ${answer.message}`);
      if (!('ofName' in answer)) return answer;
      if (attitude.defer === 'ignore') return undefined;
      return attitude.defer === 'include' ? { outcome: 'match' } : answer;
  }
}

/** A reference to a named list, whose answers are kept for the message when the list is the same each time. */
export function namedListTest(kind: KindOfList, name: string): ItemTest {
  return (subject, context) => {
    const found = context.services.namedListItems(kind.kind, name, context);
    return then(found, (list) => {
      if ('error' in list) return { outcome: 'defer', message: list.error, fault: true };
      const key =
        list.constant && kind.unkept !== true
          ? `list ${kind.kind} ${name} ${subject.caseful ? subject.original : subject.text}`
          : undefined;
      const known = key === undefined ? undefined : (context.found.get(key) as ListAnswer | undefined);
      const { decisions } = context;
      const told = decisions.listening ? `"${subject.text}" in "+${name}"` : undefined;
      const answered = (answer: ListAnswer): string => (answer.outcome === 'match' ? 'yes' : 'no');
      if (known !== undefined) {
        if (told !== undefined) decisions.step('lists', told, answered(known), 'as before');
        return known;
      }
      if (context.depth > 50) return { outcome: 'defer', message: `named list "${name}" refers to itself` };
      context.depth++;
      if (told !== undefined) decisions.begin('lists', told);
      return then(matchItems(compileList(kind, list.text), subject, context), (answer) => {
        context.depth--;
        if (told !== undefined) decisions.end(answered(answer));
        if (answer.outcome === 'defer')
          return { outcome: 'defer', message: answer.message, fault: answer.fault ?? false };
        if (key !== undefined) context.found.set(key, answer);
        return answer;
      });
    });
  };
}
