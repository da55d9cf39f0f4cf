/**
 * The servers that are asked about recipients: Exim and Tabella read scale.conf behind the lookups of the tables in question;
 * Postfix asks the same questions of them by maps of its own.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asVmail, makeDirectory, postfix, tabellaCommand, writeConfiguration } from './peers.mjs';
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

/** The maps of Postfix, in the notation of their types. */
const maps = {
  cdb: ({ cdb }) => ({ domains: `cdb:${cdb}/domains`, users: `cdb:${cdb}/users` }),
  pgsql: ({ run, socket }) => {
    const head = `hosts = unix:${socket}\nuser = tester\ndbname = postgres\n`;
    return {
      domains: writeMap(
        run,
        'pgsql',
        'domains',
        `${head}query = select domain from transport where domain='%s' and local\n`,
      ),
      users: writeMap(run, 'pgsql', 'users', `${head}query = select maildir from users where username='%s' and mail\n`),
    };
  },
  ldap: ({ run }) => {
    const head = `server_host = ldap://127.0.0.1:${ldapPort}\nversion = 3\nbind = no\nscope = base\nquery_filter = (objectClass=*)\n`;
    return {
      domains: writeMap(run, 'ldap', 'domains', `${head}search_base = dc=%s,o=top\nresult_attribute = dc\n`),
      users: writeMap(
        run,
        'ldap',
        'users',
        `${head}search_base = uid=%u,dc=%d,o=top\nresult_attribute = description\n`,
      ),
    };
  },
};

function writeMap(run, type, name, text) {
  const path = join(run, `${name}.cf`);
  writeFileSync(path, text);
  return `${type}:${path}`;
}

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
  [
    'postfix',
    {
      port: 2622,
      start(place) {
        const { domains, users } = maps[place.tables](place);
        const nowhere = { bench_mail: join(place.run, 'mail'), bench_sink: place.port };
        return postfix(place, { ...nowhere, bench_domains: domains, bench_users: users });
      },
    },
  ],
]);
