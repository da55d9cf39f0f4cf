/** THE list of the lookup types that there are. */

import { cdb } from './cdb.ts';
import { dbm, dbmjz, dbmnz } from './dbm.ts';
import { dnsdb } from './dnsdb.ts';
import { dsearch } from './dsearch.ts';
import { iplsearch } from './iplsearch.ts';
import { json } from './json.ts';
import { ldap, ldapdn, ldapm } from './ldap.ts';
import { lmdb } from './lmdb.ts';
import type { Lookup } from './lookup.ts';
import { lsearch } from './lsearch.ts';
import { mysql } from './mysql.ts';
import { nis, nis0 } from './nis.ts';
import { passwd } from './passwd.ts';
import { pgsql } from './pgsql.ts';
import { redis } from './redis.ts';
import { spf } from './spf.ts';
import { sqlite } from './sqlite.ts';
import { nwildlsearch, wildlsearch } from './wildlsearch.ts';

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
