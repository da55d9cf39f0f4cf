/** The options of the benchmark for reading: read by the front door, which answers `--help`, and by the measurement. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { positive, project, resolved } from './options.mjs';

export const readingRows = {
  server: {
    type: 'string',
    multiple: true,
    doc: 'a server to measure (repeat); ratios refer to dovecot, else the first',
  },
  messages: { type: 'string', default: '1000', doc: 'messages in each mailbox' },
  logins: { type: 'string', default: '300', doc: 'logins of a run' },
  conc: { type: 'string', default: '10', doc: 'clients that log in at a time' },
  rounds: { type: 'string', default: '3', doc: 'how often each cell is measured; medians are printed' },
  users: { type: 'string', default: '100000', doc: 'users in the table' },
  tree: { type: 'string', default: project, doc: 'the Tabella that is measured; it is built first' },
  dir: { type: 'string', default: tmpdir(), doc: 'mail lies below it: the file system that is measured' },
  out: { type: 'string', doc: 'a file that gets one line of JSON for each run' },
  keep: { type: 'boolean', default: false, doc: 'keep configurations, logs and mail' },
  profile: { type: 'string', doc: 'a directory for CPU profiles of Tabella; not for timing' },
  help: { type: 'boolean', default: false, doc: 'print this' },
};

/** What was asked for, with numbers as numbers. @throws TypeError for an option there is not */
export function readReadingOptions(words) {
  const { values } = parseArgs({ args: words, options: readingRows });
  return {
    servers: values.server ?? ['tabella', 'tabella-root', 'dovecot', 'dovecot-fast'],
    messages: positive('messages', values.messages),
    logins: positive('logins', values.logins),
    concurrency: positive('conc', values.conc),
    rounds: positive('rounds', values.rounds),
    users: positive('users', values.users),
    tree: resolve(values.tree),
    directory: resolve(values.dir),
    out: resolved(values.out),
    keep: values.keep,
    profile: resolved(values.profile),
    help: values.help,
  };
}
