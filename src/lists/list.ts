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
  /** The local part or address with its own letters, for items behind `+caseful`. */
  readonly original: string;
  readonly caseful: boolean;
  /** For hosts other than the one the context's connection is from. */
  readonly hostName?: string | undefined;
}

/** What an item says: a `ListAnswer`, or that something it needs to know of the host cannot be found out. */
export type ItemAnswer = ListAnswer | { readonly outcome: 'unknown'; readonly message: string };

export type ItemTest = (subject: Subject, context: Context) => Eventual<ItemAnswer>;

/** What the kinds of list have to say. */
export interface KindOfList {
  readonly kind: ListKind;
  /** Compiles one item, without its `!`. */
  compile(item: Text): ItemTest;
  /** Where a comment begins in a line of a file. */
  readonly fileComment: RegExp;
}

interface Item {
  readonly negated: boolean;
  readonly source: string;
  readonly test: ItemTest;
  /** `+caseful`, `+include_unknown` and their like change how the items behind them are taken. */
  readonly control: string | undefined;
}

const controls = new Set(['+caseful', '+include_unknown', '+ignore_unknown', '+include_defer', '+ignore_defer']);

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
  if (controls.has(pattern.value)) return { negated, source, control: pattern.value, test: () => noMatch };
  if (pattern.value.startsWith('/') && filesAllowed) {
    return { negated, source, control: undefined, test: fileTest(kind, pattern) };
  }
  return { negated, source, control: undefined, test: kind.compile(pattern) };
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
      return { outcome: 'defer', message: `failed to open ${path}: ${errorText(error)}` };
    }
    const items = text
      .split('\n')
      .map((line) => trim(line.replace(kind.fileComment, '')))
      .filter((line) => line !== '')
      .map((line) => compileItem(kind, Text.configured(line), false));
    return matchItems(items, subject, context);
  };
}

/** What the control items seen so far ask for. */
interface Attitude {
  unknown: 'fail' | 'include' | 'ignore';
  defer: 'tell' | 'include' | 'ignore';
  caseful: boolean;
}

/** Goes through the items from left to right until one decides (Exim spec 10.2). */
export function matchItems(items: CompiledList, subject: Subject, context: Context): Eventual<ListAnswer> {
  return matchFrom(0, items, subject, context, { unknown: 'fail', defer: 'tell', caseful: subject.caseful });
}

function matchFrom(
  from: number,
  items: CompiledList,
  subject: Subject,
  context: Context,
  attitude: Attitude,
): Eventual<ListAnswer> {
  for (let i = from; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) break;
    if (item.control !== undefined) {
      obey(item.control, attitude);
      continue;
    }
    const answer = item.test({ ...subject, caseful: attitude.caseful }, context);
    if (answer instanceof Promise) {
      return answer.then(
        (value) => decide(item, value, attitude, context) ?? matchFrom(i + 1, items, subject, context, attitude),
      );
    }
    const decision = decide(item, answer, attitude, context);
    if (decision !== undefined) return decision;
  }
  return items.at(-1)?.negated === true ? { outcome: 'match' } : noMatch;
}

function obey(control: string, attitude: Attitude): void {
  if (control === '+caseful') attitude.caseful = true;
  else if (control.endsWith('_unknown')) attitude.unknown = control === '+include_unknown' ? 'include' : 'ignore';
  else attitude.defer = control === '+include_defer' ? 'include' : 'ignore';
}

/** What the answer of one item means for the list; nothing when the next item is to be asked. */
function decide(item: Item, answer: ItemAnswer, attitude: Attitude, context: Context): ListAnswer | undefined {
  const report = (outcome: string): void => {
    if (context.decisions.listening) context.decisions.step('lists', `list item "${item.source}"`, outcome);
  };
  switch (answer.outcome) {
    case 'match':
      // what a named list said was told just before
      if (item.negated || !item.source.startsWith('+')) report(item.negated ? 'excludes' : 'matches');
      return item.negated ? noMatch : answer;
    case 'no match':
      return undefined;
    case 'unknown':
      report(`unknown: ${answer.message}`);
      if (attitude.unknown === 'ignore') return undefined;
      if (attitude.unknown === 'fail') return noMatch;
      context.services.log(`${answer.message}: accepted by +include_unknown`);
      return { outcome: 'match' };
    case 'defer':
      report(`deferred: ${answer.message}`);
      if (attitude.defer === 'ignore') return undefined;
      return attitude.defer === 'include' ? { outcome: 'match' } : answer;
  }
}

/** A reference to a named list, whose answers are kept for the message when the list is the same each time. */
export function namedListTest(kind: KindOfList, name: string): ItemTest {
  return (subject, context) => {
    const found = context.services.namedListItems(kind.kind, name, context);
    return then(found, (list) => {
      if ('error' in list) return { outcome: 'defer', message: list.error };
      const key = list.constant
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
        if (key !== undefined && answer.outcome !== 'defer') context.found.set(key, answer);
        if (told !== undefined) decisions.end(answered(answer));
        return answer;
      });
    });
  };
}
