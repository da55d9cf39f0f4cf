/** THE list of everything a configuration can name: routers, transports, authenticators and lookup types. */

import { authenticators as allAuthenticators } from '../authenticators/drivers.ts';
import { cdb } from '../lookups/cdb.ts';
import { dbm, dbmjz, dbmnz } from '../lookups/dbm.ts';
import { dnsdb } from '../lookups/dnsdb.ts';
import { dsearch } from '../lookups/dsearch.ts';
import { iplsearch } from '../lookups/iplsearch.ts';
import { json } from '../lookups/json.ts';
import { ldap, ldapdn, ldapm } from '../lookups/ldap.ts';
import { lmdb } from '../lookups/lmdb.ts';
import type { Lookup } from '../lookups/lookup.ts';
import { lsearch } from '../lookups/lsearch.ts';
import { mysql } from '../lookups/mysql.ts';
import { nis, nis0 } from '../lookups/nis.ts';
import { passwd } from '../lookups/passwd.ts';
import { pgsql } from '../lookups/pgsql.ts';
import { redis } from '../lookups/redis.ts';
import { spf } from '../lookups/spf.ts';
import { sqlite } from '../lookups/sqlite.ts';
import { nwildlsearch, wildlsearch } from '../lookups/wildlsearch.ts';
import { accept } from '../routers/accept.ts';
import { dnslookup } from '../routers/dnslookup.ts';
import { ipliteral } from '../routers/ipliteral.ts';
import { iplookup } from '../routers/iplookup.ts';
import { manualroute } from '../routers/manualroute.ts';
import { queryprogram } from '../routers/queryprogram.ts';
import { redirect } from '../routers/redirect.ts';
import { appendfile } from '../transports/appendfile.ts';
import { autoreply } from '../transports/autoreply.ts';
import { lmtp } from '../transports/lmtp.ts';
import { pipe } from '../transports/pipe.ts';
import { smtp } from '../transports/smtp.ts';

function byName<T extends { readonly name: string }>(drivers: readonly T[]): ReadonlyMap<string, T> {
  return new Map(drivers.map((driver) => [driver.name, driver]));
}

export const routers = byName([accept, dnslookup, ipliteral, iplookup, manualroute, queryprogram, redirect]);
export const transports = byName([appendfile, autoreply, lmtp, pipe, smtp]);
export const authenticators = byName(allAuthenticators);
export const lookups: readonly Lookup[] = [
  lsearch,
  wildlsearch,
  nwildlsearch,
  iplsearch,
  cdb,
  dbm,
  dbmjz,
  dbmnz,
  dnsdb,
  dsearch,
  json,
  ldap,
  ldapdn,
  ldapm,
  lmdb,
  mysql,
  nis,
  nis0,
  passwd,
  pgsql,
  redis,
  spf,
  sqlite,
];
