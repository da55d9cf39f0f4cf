/** The options of the benchmark with large tables: read by the front door, which answers `--help`, and by the measurement. */

import { parseArgs } from 'node:util';
import { positive, sharedRows, sharedValues } from './options.mjs';

export const scaleRows = {
  server: { type: 'string', multiple: true, doc: 'a server to measure (repeat); ratios refer to exim, else the first' },
  tables: { type: 'string', default: 'cdb,pgsql,ldap', doc: 'where the users are' },
  users: { type: 'string', default: '1000000', doc: 'users in cdb and PostgreSQL; a tenth of them in LDAP' },
  domains: { type: 'string', default: '100000', doc: 'their domains; a tenth of them in LDAP' },
  conc: { type: 'string', default: '10', doc: 'connections at a time' },
  seconds: { type: 'string', default: '4', doc: 'how long a run lasts' },
  ...sharedRows,
};

/** What was asked for, with numbers as numbers. @throws TypeError for an option there is not */
export function readScaleOptions(words) {
  const { values } = parseArgs({ args: words, options: scaleRows });
  return {
    servers: values.server ?? ['tabella', 'exim', 'postfix'],
    tables: values.tables.split(','),
    users: positive('users', values.users),
    domains: positive('domains', values.domains),
    concurrency: positive('conc', values.conc),
    seconds: positive('seconds', values.seconds),
    ...sharedValues(values),
  };
}
