/**
 * The contract of lookup drivers (Exim spec 9). A driver is one literal in one file, made with `defineLookup`.
 * `lookups.ts` beside this file does what all types have in common: partial matching, defaults, options, caches.
 */

import type { Context } from '../expand/context.ts';
import type { Eventual } from '../lib/eventual.ts';
import type { Clean, Text } from '../safe/taint.ts';
import type { Surroundings } from './surroundings.ts';

/** Options behind the type's name: `lsearch,ret=full`. */
export type LookupOptions = ReadonlyMap<string, string>;

export type Found =
  | {
      readonly outcome: 'found';
      readonly value: string;
      /** The question changed the data: it is asked each time, and earlier answers of this type count no more. */
      readonly changed?: boolean;
    }
  | { readonly outcome: 'not found' }
  /** The search could not be completed; the message is for logs. */
  | { readonly outcome: 'defer'; readonly message: string };

/** The table cannot be opened, or is no table of that type. An expansion that needs it fails. */
export class LookupProblem extends Error {}

/** An open file of a single-key driver. */
export interface Table {
  /** Searches for exactly this key. A broken file is a `LookupProblem`. */
  find(key: string, options: LookupOptions, context: Context): Eventual<Found>;
  close(): void;
}

interface LookupDriver {
  readonly name: string;
  readonly doc: string;
  /** Names of the options this driver understands, besides `cache` and, for single-key drivers, `ret=key`. */
  readonly options: readonly string[];
  /** Whether the administrator's data vouches for the result; if not, it is tainted. */
  readonly vouches: boolean;
}

/** Searches a file for a key. */
export interface SingleKeyLookup extends LookupDriver {
  readonly style: 'single-key';
  /**
   * Opens the file. It stays open as long as its inode, size and time do not change.
   * @throws LookupProblem or the system's error
   */
  open(file: Clean, surroundings: Surroundings): Table;
  /** In a message about a file that cannot be opened: `failed to open F <purpose>: …`. */
  readonly purpose: string;
}

/** What a query-style driver asks; it keeps what it has open until it is closed. */
export interface Database {
  /**
   * Asks. The query has no blanks in front, and its pieces have their own taint.
   * @throws LookupProblem, also later
   */
  find(query: Text, options: LookupOptions, context: Context): Eventual<Found>;
  close(): void;
}

/** Asks a question in the database's own language. */
export interface QueryLookup extends LookupDriver {
  readonly style: 'query';
  /** Called once, before the first query. */
  open(surroundings: Surroundings): Database;
  /** The text quoted so that it can stand in a query. */
  quote(text: string): string;
  /** Other ways of quoting, by the word behind the type: `quote_ldap_dn`. */
  readonly quoteAs?: ReadonlyMap<string, (text: string) => string>;
}

export type Lookup = SingleKeyLookup | QueryLookup;

/** Declares a driver; checks nothing more than its type. */
export function defineLookup<L extends Lookup>(driver: L): L {
  return driver;
}

/** Opens a database with code that is loaded for the first query; programs that ask none start sooner. */
export function openedLate(load: (surroundings: Surroundings) => Promise<Database>): QueryLookup['open'] {
  return (surroundings) => {
    let loading: Promise<Database> | undefined;
    let database: Database | undefined;
    return {
      find(query, options, context) {
        if (database !== undefined) return database.find(query, options, context);
        loading ??= load(surroundings).then((loaded) => {
          database = loaded;
          return loaded;
        });
        return loading.then((loaded) => loaded.find(query, options, context));
      },
      close() {
        if (database === undefined) loading?.then((loaded) => loaded.close());
        else database.close();
      },
    };
  };
}

export const notFound = { outcome: 'not found' } as const;
