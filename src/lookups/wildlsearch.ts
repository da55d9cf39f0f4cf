/**
 * `wildlsearch` and `nwildlsearch`: a text file whose keys are patterns (Exim spec 9.3): `*end`, `^regular expression`,
 * `type;lookup`, or plain text, each with `!` before it for the contrary. The first entry whose key matches counts. For
 * `wildlsearch` the keys are expanded first.
 */

import { setImmediate } from 'node:timers/promises';
import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import { type Eventual, lastly, then } from '../lib/eventual.ts';
import { lower } from '../lib/octets.ts';
import type { ItemAnswer, ItemTest, Subject } from '../lists/list.ts';
import { lookupParts, matchRegex, noMatch, stringTest } from '../lists/pattern.ts';
import { Text } from '../safe/taint.ts';
import { defineLookup, type Found, type LookupOptions, notFound, type SingleKeyLookup } from './lookup.ts';
import { answerOf, type LsearchFile, openLsearch } from './lsearch-file.ts';
import { keyOfLine } from './lsearch-text.ts';

/** So many patterns are kept compiled; those behind them are read again for each search, and others get their turn. */
const keptPatterns = 1000;
/** How deep lookups may lead to such files whose keys are lookups again. */
const deepest = 50;

interface Patterns {
  readonly file: LsearchFile;
  /** Where the entries stand. */
  readonly places: readonly number[];
  readonly kept: readonly ItemTest[];
}

/** A pattern without its `!`. Only regular expressions see the case of the letters, and ignore it unless told otherwise. */
function plainPattern(pattern: Text): ItemTest {
  if (pattern.value.startsWith('^')) return ({ original }) => matchRegex(pattern, original, true);
  const isLookup = lookupParts(pattern) !== undefined;
  const test = stringTest(isLookup ? pattern : Text.derived(lower(pattern.value), pattern));
  return ({ text }, context) => test({ text, original: text, caseful: true }, context);
}

function patternTest(key: Text): ItemTest {
  const negation = /^![ \t]*/.exec(key.value)?.[0].length ?? 0;
  const test = plainPattern(key.slice(negation));
  if (negation === 0) return test;
  return (subject, context) =>
    then(test(subject, context), (answer): ItemAnswer => {
      if (answer.outcome === 'match') return noMatch;
      return answer.outcome === 'no match' ? { outcome: 'match' } : answer;
    });
}

/** A key that is expanded each time. One that is forced to fail matches nothing. */
function expandedPatternTest(key: string, file: string): ItemTest {
  const template = compileTemplate(key);
  if (template.constant !== undefined) return patternTest(template.constant);
  return (subject, context) =>
    then(template.expand(context), (expansion): Eventual<ItemAnswer> => {
      if (expansion.ok) return patternTest(expansion.text)(subject, context);
      if (expansion.kind === 'forced') return noMatch;
      return { outcome: 'defer', message: `failed to expand key "${key}" in ${file}: ${expansion.message}` };
    });
}

type MakeTest = (key: string, file: string) => ItemTest;

function prepare(file: LsearchFile, makeTest: MakeTest): Eventual<Patterns> {
  const places: number[] = [];
  const kept: ItemTest[] = [];
  const found = file.findEntries((piece, start, end, place) => {
    if (places.push(place) <= keptPatterns) kept.push(makeTest(keyOfLine(piece, start, end), file.name));
  });
  return then(found, () => ({ file, places, kept }));
}

/** The first entry at or behind number `from` whose pattern matches. */
function searchFrom(
  from: number,
  patterns: Patterns,
  makeTest: MakeTest,
  subject: Subject,
  options: LookupOptions,
  context: Context,
): Eventual<Found> {
  const { file, places, kept } = patterns;
  const decide = (number: number, answer: ItemAnswer): Found | undefined => {
    if (answer.outcome === 'no match' || answer.outcome === 'excluded') return undefined;
    return answer.outcome === 'match'
      ? answerOf(file.entryAt(places[number] ?? 0), options)
      : { ...answer, outcome: 'defer' };
  };
  for (let number = from; number < places.length; number++) {
    const test = kept[number] ?? makeTest(file.keyAt(places[number] ?? 0), file.name);
    const goOn = (): Eventual<Found> => searchFrom(number + 1, patterns, makeTest, subject, options, context);
    const answer = test(subject, context);
    if (answer instanceof Promise) return answer.then((later) => decide(number, later) ?? goOn());
    const found = decide(number, answer);
    if (found !== undefined) return found;
    if ((number + 1) % keptPatterns === 0 && number >= keptPatterns) return setImmediate().then(goOn);
  }
  return notFound;
}

function driver(name: string, doc: string, makeTest: MakeTest): SingleKeyLookup {
  return defineLookup({
    name,
    doc,
    style: 'single-key',
    purpose: 'for linear search',
    options: ['ret'],
    vouches: true,
    open: (file) =>
      openLsearch<Patterns>(file, {
        prepare: (opened) => prepare(opened, makeTest),
        search(patterns, key, options, context) {
          if (context.depth >= deepest) return { outcome: 'defer', message: `${file} leads to itself` };
          const subject = { text: lower(key), original: key, caseful: false };
          context.depth++;
          return lastly(
            () => searchFrom(0, patterns, makeTest, subject, options, context),
            () => {
              context.depth--;
            },
          );
        },
      }),
  });
}

export const nwildlsearch = driver('nwildlsearch', 'a text file whose keys are patterns', (key) =>
  patternTest(Text.vouched(key)),
);
export const wildlsearch = driver(
  'wildlsearch',
  'a text file whose keys are expanded to patterns',
  expandedPatternTest,
);
