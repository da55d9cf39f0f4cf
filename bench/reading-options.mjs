/** The options of the benchmark for reading: read by the front door, which answers `--help`, and by the measurement. */

import { parseArgs } from 'node:util';
import { positive, sharedRows, sharedValues } from './options.mjs';

export const readingRows = {
  server: {
    type: 'string',
    multiple: true,
    doc: 'a server to measure (repeat); ratios refer to dovecot, else the first',
  },
  messages: { type: 'string', default: '1000', doc: 'messages in each mailbox' },
  logins: { type: 'string', default: '300', doc: 'logins of a run' },
  conc: { type: 'string', default: '10', doc: 'clients that log in at a time' },
  users: { type: 'string', default: '100000', doc: 'users in the table' },
  ...sharedRows,
};

/** What was asked for, with numbers as numbers. @throws TypeError for an option there is not */
export function readReadingOptions(words) {
  const { values } = parseArgs({ args: words, options: readingRows });
  return {
    servers: values.server ?? ['tabella', 'tabella-root', 'dovecot', 'dovecot-fast'],
    messages: positive('messages', values.messages),
    logins: positive('logins', values.logins),
    concurrency: positive('conc', values.conc),
    users: positive('users', values.users),
    ...sharedValues(values),
  };
}
