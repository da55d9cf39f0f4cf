/**
 * What drivers are given of the server they work in: whoever makes `Lookups` hands it over. Options have the names they
 * have in the main section, so that the main section itself can be given.
 */

import type { Template } from '../expand/expand.ts';
import { Resolver } from '../net/dns.ts';
import type { Clean } from '../safe/taint.ts';

/** Main options that drivers obey (Exim spec 14). */
export interface MainOptions {
  /** How many parent domains CSA looks at. */
  readonly dns_csa_search_limit: number;
  readonly dns_csa_use_reverse: boolean;
  readonly sqlite_dbfile: Template | undefined;
  /** Seconds. */
  readonly sqlite_lock_timeout: number;
  readonly pgsql_servers: ServerList | undefined;
  readonly mysql_servers: ServerList | undefined;
  readonly redis_servers: ServerList | undefined;
  readonly ldap_default_servers: ServerList | undefined;
  readonly ldap_ca_cert_dir: string | undefined;
  readonly ldap_ca_cert_file: string | undefined;
  readonly ldap_cert_file: string | undefined;
  readonly ldap_cert_key: string | undefined;
  readonly ldap_cipher_suite: string | undefined;
  readonly ldap_require_cert: string | undefined;
  readonly ldap_start_tls: boolean;
}

/** Servers as they stand in a list: each with what is needed to log in. */
export interface ServerList {
  readonly items: readonly Clean[];
}

export interface Surroundings {
  readonly resolver: Resolver;
  readonly main: MainOptions;
}

/** The machine's name servers, and options as they are when nobody sets them. */
export function standardSurroundings(): Surroundings {
  return {
    resolver: new Resolver(),
    main: {
      dns_csa_search_limit: 5,
      dns_csa_use_reverse: true,
      sqlite_dbfile: undefined,
      sqlite_lock_timeout: 5,
      pgsql_servers: undefined,
      mysql_servers: undefined,
      redis_servers: undefined,
      ldap_default_servers: undefined,
      ldap_ca_cert_dir: undefined,
      ldap_ca_cert_file: undefined,
      ldap_cert_file: undefined,
      ldap_cert_key: undefined,
      ldap_cipher_suite: undefined,
      ldap_require_cert: undefined,
      ldap_start_tls: false,
    },
  };
}
