/**
 * The door to filters: which language a text is in, by its first line, and who runs it (Exim's filter specification 2.1,
 * 3.1). The redirect router, the system filter and `-bf` come through here.
 *
 * A language is entered as one row of `filterLanguages`: its name as Exim's messages have it, the start of its first
 * line, and its runner, which is loaded when the first filter in that language is run. A runner gets a `FilterRequest`
 * and answers a `FilterOutcome`; what is wrong with the text comes back as `error` in Exim's words and is never thrown.
 * With `test` set it does nothing, but prints what it would do.
 */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { Text } from '../safe/taint.ts';
import type { FilterLimits, FilterOutcome } from './filter-outcome.ts';

/** A test of a filter (`-bf`), in which nothing is done, but told. */
export interface FilterTest {
  print(text: string): void;
  /** Tells the results of conditions (`-v`), on standard error. */
  explain?: ((text: string) => void) | undefined;
}

/** Options of a redirect router that only a Sieve filter looks at (Exim spec 22.7). */
export interface SieveSettings {
  readonly subaddress: Template | undefined;
  readonly userAddress: Template | undefined;
  readonly vacationDirectory: Template | undefined;
  readonly enotifyMailtoOwner: Template | undefined;
}

export interface FilterRequest {
  /** Nothing in a text from outside is expanded. */
  readonly text: Text;
  /** The address, the message and the rest of what expansions see. */
  readonly context: Context;
  readonly limits: FilterLimits;
  /** A system filter may do more than that of a user, and only a user's is about one address. */
  readonly isSystem: boolean;
  /** The address that the filter is for, first with prefix and suffix; none for a system filter. */
  readonly ownAddresses: readonly string[];
  /** Put before names without a leading slash that a filter saves to, when it is set and there is a `$home`. */
  readonly prependHome: boolean;
  /** What addresses without a domain get. */
  readonly qualifyDomain: string;
  /** It is the first attempt to deliver the message. */
  readonly firstDelivery: boolean;
  /** The message was frozen, and somebody let it go again. */
  readonly manuallyThawed: boolean;
  /** Nothing is delivered (`-bt`, verification): log files are left alone. */
  readonly isDry: boolean;
  readonly sieve: SieveSettings | undefined;
  readonly test: FilterTest | undefined;
  /** Whose rights the filter has, when they are not the server's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

export type FilterRunner = (request: FilterRequest) => Promise<FilterOutcome>;

export interface FilterLanguage {
  readonly name: 'Exim' | 'Sieve';
  /** The words of the first line, behind `#`. */
  readonly mark: RegExp;
  load(): Promise<FilterRunner>;
}

/** That of system filters, too, whatever their first line says. */
export const eximLanguage: FilterLanguage = {
  name: 'Exim',
  mark: /^[ \t\n\v\f\r]*#[ \t]*exim[ \t]*filter/i,
  load: async () => (await import('./exim-filter.ts')).runEximFilter,
};

const filterLanguages: readonly FilterLanguage[] = [
  eximLanguage,
  {
    name: 'Sieve',
    mark: /^[ \t\n\v\f\r]*#[ \t]*sieve[ \t]*filter/i,
    load: async () => (await import('./sieve/sieve-filter.ts')).runSieveFilter,
  },
];

/** Files without such a mark in this many octets are no filters. */
const longestStart = 4096;

/** The language of redirection data, or nothing when it is a list of addresses. */
export function filterLanguageOf(text: string): FilterLanguage | undefined {
  const start = text.slice(0, longestStart);
  return filterLanguages.find(({ mark }) => mark.test(start));
}
