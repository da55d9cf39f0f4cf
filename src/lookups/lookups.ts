/**
 * What all lookup types have in common (Exim spec 9.5 - 9.8): the search type is taken apart, files are kept open and
 * opened anew when they changed, keys are tried in the documented order, and within one line of work nothing is asked
 * twice.
 */

import type { Context, LookupAnswer, LookupRequest } from '../expand/context.ts';
import { keep, kept as keptValue } from '../expand/kept.ts';
import * as clock from '../lib/clock.ts';
import { accessErrorText, errorText } from '../lib/errno.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { Cache } from '../lib/lru.ts';
import { trimStart } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { type Clean, clean, Text } from '../safe/taint.ts';
import {
  type Database,
  type Found,
  type Lookup,
  type LookupOptions,
  LookupProblem,
  notFound,
  type QueryLookup,
  type SingleKeyLookup,
  type Table,
} from './lookup.ts';
import { type KeyToTry, keysToTry, parseSearchType, type SearchType } from './search-type.ts';
import { type Surroundings, standardSurroundings } from './surroundings.ts';

/** An answer as it is kept for the line of work, and what it told of DNSSEC, if it did. */
interface KnownAnswer {
  readonly answer: LookupAnswer;
  readonly dnssec: Text | undefined;
}

/** An answer, and whether the question changed the data it came from. */
type FreshAnswer = LookupAnswer & { readonly changed?: boolean };

interface OpenTable {
  readonly table: Table;
  readonly stamp: string;
}

/**
 * Milliseconds for which a line of work takes a file to be unchanged that it has looked at, for it may ask for thousands
 * of keys. Exim goes on with the file that it has open, for as long as its process lives.
 */
const trusted = 500;

/** Answers that a line of work keeps; a session that asks for more begins anew. */
const mostKept = 10_000;
/** Files of which a line of work knows when it looked at them. */
const mostLooked = 100;

/** What tells that a file is still the one that was opened. */
function stampOf(file: Clean): string {
  const found = files.stat(file);
  return found === undefined ? 'none' : `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
}

export class Lookups {
  readonly #drivers: ReadonlyMap<string, Lookup>;
  readonly #types = new Map<string, SearchType | { readonly error: string }>();
  readonly #tables: Cache<string, OpenTable>;
  /** When a line of work has looked at its files last, in milliseconds. */
  readonly #looks = new WeakMap<Context['found'], Map<string, number>>();
  readonly #databases = new Map<QueryLookup, Database>();
  #surroundings: Surroundings | undefined;

  /** `openMax` is the most files of single-key types that are kept open (lookup_open_max). */
  constructor(drivers: readonly Lookup[], openMax: number, surroundings?: Surroundings) {
    this.#surroundings = surroundings;
    this.#drivers = new Map(drivers.map((driver) => [driver.name, driver]));
    this.#tables = new Cache(openMax, ({ table }) => table.close());
  }

  #type(text: string): SearchType | { readonly error: string } {
    let type = this.#types.get(text);
    if (type === undefined) {
      type = parseSearchType(text, this.#drivers);
      if (this.#types.size < 10_000) this.#types.set(text, type);
    }
    return type;
  }

  /** How a type searches, or why it is no search type. */
  style(text: string): { readonly style: 'single-key' | 'query'; readonly name: string } | { readonly error: string } {
    const type = this.#type(text);
    return 'error' in type ? type : { style: type.driver.style, name: type.driver.name };
  }

  quote(name: string, text: string, option: string): { readonly text: string } | { readonly error: string } {
    const driver = this.#drivers.get(name);
    if (driver === undefined) return { error: `unknown lookup type "${name}"` };
    const quote = option === '' ? driver.style === 'query' && driver.quote : optionalQuote(driver, option);
    if (quote === undefined) return { error: `"${option}" unrecognized after "\${quote_${name}"` };
    return { text: quote === false ? text : quote(text) };
  }

  find(request: LookupRequest, context: Context): Eventual<LookupAnswer> {
    const type = this.#type(request.type);
    if ('error' in type) return { outcome: 'error', message: type.error };
    const { key, fileOrQuery } = request;
    const cacheKey = `lookup ${request.type}\0${key?.value ?? ''}\0${fileOrQuery.value}${originOf(fileOrQuery)}`;
    const kept = type.options.get('cache') === 'no_rd' ? undefined : context.found.get(cacheKey);
    const known = kept as KnownAnswer | undefined;
    const begun = context.decisions.listening;
    if (begun) {
      context.decisions.begin(
        'lookup',
        `lookup ${request.type} "${key?.value ?? fileOrQuery.value}"${key === undefined ? '' : ` in ${fileOrQuery.value}`}`,
      );
    }
    if (known?.dnssec !== undefined) keep(context, 'lookup_dnssec_authenticated', known.dnssec);
    const dnssecBefore = keptValue(context, 'lookup_dnssec_authenticated');
    const asked: Eventual<FreshAnswer> = known?.answer ?? this.#ask(type, key, fileOrQuery, context);
    return then(asked, (found) => {
      if (found.changed === true) this.#forget((driver) => driver === type.driver, context);
      else if (found.outcome === 'found' || found.outcome === 'not found') {
        const dnssec = keptValue(context, 'lookup_dnssec_authenticated');
        if (context.found.size >= mostKept) this.#forget(() => true, context);
        context.found.set(cacheKey, {
          answer: found,
          dnssec: dnssec === dnssecBefore ? known?.dnssec : dnssec,
        } satisfies KnownAnswer);
      }
      if (begun) {
        const detail =
          found.outcome === 'found' ? found.value.value : found.outcome === 'not found' ? '' : found.message;
        context.decisions.end(found.outcome, known === undefined ? detail : `${detail}, as before`);
      }
      return found;
    });
  }

  /** Forgets what the line of work has from some drivers. */
  #forget(which: (driver: Lookup) => boolean, context: Context): void {
    for (const kept of context.found.keys()) {
      if (!kept.startsWith('lookup ')) continue;
      const type = this.#type(kept.slice('lookup '.length, kept.indexOf('\0')));
      if (!('error' in type) && which(type.driver)) context.found.delete(kept);
    }
  }

  #ask(type: SearchType, key: Text | undefined, fileOrQuery: Text, context: Context): Eventual<FreshAnswer> {
    const { driver, options } = type;
    if (driver.style === 'query') {
      const blanks = fileOrQuery.value.length - trimStart(fileOrQuery.value).length;
      return this.#query(driver, fileOrQuery.slice(blanks), options, context);
    }
    if (key === undefined) return notFound;
    const file = clean(fileOrQuery);
    if (file === undefined) {
      return { outcome: 'error', message: `Tainted filename for search: '${fileOrQuery.value}'` };
    }
    let table: Table;
    try {
      table = this.#open(driver, file, context.found);
    } catch (error) {
      const reason =
        error instanceof LookupProblem
          ? error.message
          : `failed to open ${file} ${driver.purpose}: ${accessErrorText(error)}`;
      return { outcome: 'error', message: reason };
    }
    const returned = options.get('ret') === 'key' ? key.value : undefined;
    return tryKeys(keysToTry(key.value, type), table, type, context, (found, tried) =>
      answerOf(found, driver, tried, returned),
    );
  }

  #query(driver: QueryLookup, query: Text, options: LookupOptions, context: Context): Eventual<FreshAnswer> {
    let database = this.#databases.get(driver);
    if (database === undefined) {
      this.#surroundings ??= standardSurroundings();
      database = driver.open(this.#surroundings);
      this.#databases.set(driver, database);
    }
    const answer = (found: Found): FreshAnswer => {
      // the query is only as good as it was, unless the driver finds just what it names
      if (found.outcome === 'found' && options.get('ret') === 'key' && !driver.options.includes('ret')) {
        return { outcome: 'found', value: query };
      }
      const answered = answerOf(found, driver, undefined, undefined);
      return found.outcome === 'found' && found.changed === true ? { ...answered, changed: true } : answered;
    };
    try {
      const found = database.find(query, options, context);
      return found instanceof Promise ? found.then(answer).catch(problemOf) : answer(found);
    } catch (error) {
      return problemOf(error);
    }
  }

  #open(driver: SingleKeyLookup, file: Clean, lookedBy: Context['found']): Table {
    const name = `${driver.name} ${file}`;
    const now = clock.elapsed();
    const open = this.#tables.get(name);
    const looks = this.#looksOf(lookedBy);
    const looked = looks.get(name);
    if (open !== undefined && looked !== undefined && now - looked < trusted) return open.table;
    if (looks.size >= mostLooked) looks.clear();
    looks.set(name, now);
    const stamp = stampOf(file);
    if (open?.stamp === stamp) return open.table;
    this.#tables.delete(name);
    this.#surroundings ??= standardSurroundings();
    const table = driver.open(file, this.#surroundings);
    this.#tables.set(name, { table, stamp });
    return table;
  }

  #looksOf(line: Context['found']): Map<string, number> {
    const known = this.#looks.get(line);
    if (known !== undefined) return known;
    const looks = new Map<string, number>();
    this.#looks.set(line, looks);
    return looks;
  }

  /** Closes all files and databases; the next search opens them again. */
  close(): void {
    this.#tables.clear();
    for (const database of this.#databases.values()) database.close();
    this.#databases.clear();
  }
}

/** Where the pieces of a text come from: the same text with other pieces from outside is another question. */
function originOf(text: Text): string {
  return text.isClean ? '' : `\0${text.pieces.map(({ value, taint }) => `${value.length}${taint}`).join(',')}`;
}

function optionalQuote(driver: Lookup, option: string): ((text: string) => string) | undefined {
  return driver.style === 'query' ? driver.quoteAs?.get(option) : undefined;
}

function problemOf(error: unknown): LookupAnswer {
  if (error instanceof LookupProblem) return { outcome: 'error', message: error.message };
  return { outcome: 'defer', message: errorText(error) };
}

function tryKeys(
  keys: Iterator<KeyToTry>,
  table: Table,
  type: SearchType,
  context: Context,
  answer: (found: Found, tried: KeyToTry) => LookupAnswer,
): Eventual<LookupAnswer> {
  for (;;) {
    const { value: tried, done } = keys.next();
    if (done === true || tried === undefined) return notFound;
    let found: Eventual<Found>;
    try {
      found = table.find(tried.key, type.options, context);
    } catch (error) {
      return { outcome: 'defer', message: errorText(error) };
    }
    if (context.decisions.listening) {
      context.decisions.step('lookup', `key "${tried.key}"`, found instanceof Promise ? 'asked' : found.outcome);
    }
    if (found instanceof Promise) {
      return found.then((later) =>
        later.outcome === 'not found' ? tryKeys(keys, table, type, context, answer) : answer(later, tried),
      );
    }
    if (found.outcome !== 'not found') return answer(found, tried);
  }
}

function answerOf(
  found: Found,
  driver: Lookup,
  tried: KeyToTry | undefined,
  returned: string | undefined,
): LookupAnswer {
  if (found.outcome !== 'found') return found;
  const value = returned ?? found.value;
  return {
    outcome: 'found',
    value: driver.vouches ? Text.vouched(value) : Text.tainted(value),
    wild: tried?.wild === undefined ? undefined : Text.tainted(tried.wild),
    fixed: tried?.fixed === undefined ? undefined : Text.tainted(tried.fixed),
  };
}
