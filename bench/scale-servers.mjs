/** The servers that are asked about recipients: Exim and Tabella read scale.conf behind the lookups of the tables in question. */

import { join } from 'node:path';
import { asVmail, makeDirectory, tabellaCommand, writeConfiguration } from './peers.mjs';
import { ldapPort } from './scale-tables.mjs';

/** How domains and users are found, as the configuration says it. */
const lookups = {
  cdb: ({ cdb }) => ({
    DOMAIN_LIST: `cdb;${cdb}/domains.cdb`,
    USER_LOOKUP: `\${lookup{$local_part@$domain}cdb{${cdb}/users.cdb}{$value}fail}`,
  }),
  pgsql: () => ({
    DOMAIN_LIST: `pgsql;select domain from transport where domain='\${quote_pgsql:$domain}' and local`,
    USER_LOOKUP: `\${lookup pgsql{select maildir from users where username='\${quote_pgsql:$local_part@$domain}' and mail}{$value}fail}`,
  }),
  ldap: () => ({
    DOMAIN_LIST: 'ldap;ldap::///dc=${quote_ldap_dn:$domain},o=top?dc?base?(objectClass=*)',
    USER_LOOKUP:
      '${lookup ldap{ldap:///uid=${quote_ldap_dn:$local_part},dc=${quote_ldap_dn:$domain},o=top?description?base?(objectClass=*)}{$value}fail}',
  }),
};

function writeScale(path, place, user, uid) {
  for (const name of ['spool', 'log']) makeDirectory(join(place.run, name), uid, uid, 0o750);
  const { run, port, tables, socket } = place;
  const macros = { SERVER_USER: user, RUN: run, PORT: port, SOCKET: socket, LDAPSERVER: `127.0.0.1::${ldapPort}` };
  writeConfiguration(path, { ...macros, ...lookups[tables](place) }, 'scale.conf');
}

/** By name. `start` writes what the server needs and answers the command that runs it in the foreground. */
export const scaleServers = new Map([
  [
    'tabella',
    {
      port: 2620,
      start(place) {
        const path = join(place.run, 'exim.conf');
        writeScale(path, place, 'vmail', 5000);
        return asVmail(tabellaCommand(place, path));
      },
    },
  ],
  [
    'exim',
    {
      port: 2621,
      start(place) {
        writeScale('/etc/exim4/exim4.conf', place, 'Debian-exim', 3101);
        return ['/usr/sbin/exim4', '-bdf', '-q1h'];
      },
    },
  ],
]);
