/**
 * What drivers are given of the server they work in: whoever makes `Lookups` hands it over. Options have the names they
 * have in the main section, so that the main section itself can be given.
 */

import type { Template } from '../expand/expand.ts';
import { Resolver } from '../net/dns.ts';

/** Main options that drivers obey (Exim spec 14). */
export interface MainOptions {
  /** How many parent domains CSA looks at. */
  readonly dns_csa_search_limit: number;
  readonly dns_csa_use_reverse: boolean;
  readonly sqlite_dbfile: Template | undefined;
  /** Seconds. */
  readonly sqlite_lock_timeout: number;
}

export interface Surroundings {
  readonly resolver: Resolver;
  readonly main: MainOptions;
}

/** The machine's name servers, and options as they are when nobody sets them. */
export function standardSurroundings(): Surroundings {
  return {
    resolver: new Resolver(),
    main: { dns_csa_search_limit: 5, dns_csa_use_reverse: true, sqlite_dbfile: undefined, sqlite_lock_timeout: 5 },
  };
}
