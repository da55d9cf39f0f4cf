/**
 * The servers that mail is read from: for each its port, and how it is started. Tabella reads reading.conf, Dovecot
 * dovecot.conf, once as it is after installation and once as its manual advises for many logins.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { domain, owner, userNumber } from './mailboxes.mjs';
import { asVmail, makeDirectory, tabellaCommand, writeConfiguration } from './peers.mjs';

const bench = dirname(fileURLToPath(import.meta.url));

function tabella(place, user, uid) {
  const { run, mail, users, passwords, port } = place;
  for (const name of ['spool', 'log']) makeDirectory(join(run, name), uid, uid, 0o750);
  const configuration = join(run, 'exim.conf');
  const macros = {
    SERVER_USER: user,
    RUN: run,
    MAIL: mail,
    USERS: `${users}.cdb`,
    PASSWORDS: `${passwords}.cdb`,
    SMTP_PORT: port + 50,
    PORT: port,
  };
  writeConfiguration(configuration, macros, 'reading.conf');
  return tabellaCommand(place, configuration);
}

function dovecot({ run, mail, port, count }, loginService, pop3Service) {
  const line = (_, number) => {
    const user = userNumber(number);
    return `${user}@${domain}:{PLAIN}secret:${owner}:${owner}::${mail}/${domain}/${user}::\n`;
  };
  writeFileSync(join(run, 'passwd'), Array.from({ length: count }, line).join(''));
  makeDirectory(join(run, 'base'));
  const text = readFileSync(join(bench, 'dovecot.conf'), 'latin1')
    .replaceAll('RUN', run)
    .replaceAll('PORT', String(port))
    .replaceAll('LOGIN_SERVICE', loginService)
    .replaceAll('POP3_SERVICE', pop3Service);
  writeFileSync(join(run, 'dovecot.conf'), text);
  return ['/usr/sbin/dovecot', '-F', '-c', join(run, 'dovecot.conf')];
}

/** By name. `start` writes what the server needs and answers the command that runs it in the foreground. */
export const readingPeers = new Map([
  ['tabella', { port: 2610, start: (place) => asVmail(tabella(place, 'vmail', owner)) }],
  ['tabella-root', { port: 2611, start: (place) => tabella(place, 'Debian-exim', 3101) }],
  ['dovecot', { port: 2612, start: (place) => dovecot(place, '', '') }],
  [
    'dovecot-fast',
    {
      port: 2613,
      start: (place) => dovecot(place, 'service_count = 0\n  process_min_avail = 2', 'service_count = 256'),
    },
  ],
]);
