/** Main options of the lookups (Exim spec 14.6, 9). */

import { fixed, flag, integer, stringList, template } from '../../options/kinds.ts';
import { neverEffective, type OptionTable } from '../../options/table.ts';

export const dataLookups = {
  ibase_servers: neverEffective(stringList('InterBase servers that queries are sent to.'), 'there is no lookup ibase'),
  ldap_ca_cert_dir: fixed('A directory of certificates of the authorities that LDAP servers are trusted by.'),
  ldap_ca_cert_file: fixed('A file of certificates of the authorities that LDAP servers are trusted by.'),
  ldap_cert_file: fixed('The certificate that is shown to LDAP servers.'),
  ldap_cert_key: fixed('The private key to the certificate that is shown to LDAP servers.'),
  ldap_cipher_suite: fixed('The ciphers that a connection to an LDAP server may use.'),
  ldap_default_servers: stringList('LDAP servers for queries that name none.'),
  ldap_require_cert: fixed('How strictly the certificate of an LDAP server is checked.'),
  ldap_start_tls: flag('Starts TLS on plain connections to LDAP servers.'),
  ldap_version: neverEffective(
    integer('The version of the LDAP protocol; negative to find out.', -1),
    'LDAP servers are spoken to in version 3 of the protocol alone',
  ),
  lookup_open_max: integer('How many lookup files stay open at a time.', 25),
  mysql_servers: stringList('MySQL servers with database, user and password.'),
  oracle_servers: neverEffective(
    stringList('Oracle servers with database, user and password.'),
    'there is no lookup oracle',
  ),
  pgsql_servers: stringList('PostgreSQL servers with database, user and password.'),
  redis_servers: stringList('Redis servers with the number of the database and the password.'),
  sqlite_dbfile: template('The SQLite file for queries that name none.'),
  sqlite_lock_timeout: integer('How many seconds a query waits for a locked SQLite file.', 5),
} satisfies OptionTable;
