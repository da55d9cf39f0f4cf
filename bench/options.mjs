/** The options of the benchmark: read by the front door, which answers `--help`, and by the measurement itself. */

import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const project = dirname(dirname(fileURLToPath(import.meta.url)));

/** Of every measurement. */
export const sharedRows = {
  rounds: { type: 'string', default: '3', doc: 'how often each cell is measured; medians are printed' },
  tree: { type: 'string', default: project, doc: 'the Tabella that is measured; it is built first' },
  dir: {
    type: 'string',
    default: tmpdir(),
    doc: 'all that is written lies below it: the file system that is measured',
  },
  out: { type: 'string', doc: 'a file that gets one line of JSON for each run' },
  keep: { type: 'boolean', default: false, doc: 'keep what was written there' },
  profile: { type: 'string', doc: 'a directory for CPU profiles of Tabella; not for timing' },
  help: { type: 'boolean', default: false, doc: 'print this' },
};

/** What they ask for. */
export function sharedValues(values) {
  return {
    rounds: positive('rounds', values.rounds),
    tree: resolve(values.tree),
    directory: resolve(values.dir),
    out: resolved(values.out),
    keep: values.keep,
    profile: resolved(values.profile),
    help: values.help,
  };
}

export const rows = {
  server: { type: 'string', multiple: true, doc: 'a server to measure (repeat); ratios refer to exim, else the first' },
  workload: { type: 'string', default: 'm1', doc: 'm1 deliver, m2 one message to 50 users, m3 rejects, m4 relay' },
  conc: { type: 'string', default: '1,10,50', doc: 'connections at a time (m1)' },
  scale: { type: 'string', default: '1', doc: 'factor for the number of messages of a run' },
  size: { type: 'string', default: '10240', doc: 'octets of a message' },
  users: { type: 'string', default: '100000', doc: 'users in the table' },
  active: { type: 'string', default: '1000', doc: 'users who get mail' },
  pipelining: { type: 'boolean', default: false, doc: 'MAIL, RCPT and DATA in one write' },
  strace: { type: 'string', doc: 'a directory for counts of system calls; not for timing' },
  'strace-args': { type: 'string', default: '-c', doc: 'what strace does instead of counting' },
  ...sharedRows,
};

/** What was asked for, with numbers as numbers. @throws TypeError for an option there is not */
export function readOptions(words) {
  const { values } = parseArgs({ args: words, options: rows });
  return {
    servers: values.server ?? ['tabella', 'exim', 'postfix'],
    workloads: values.workload.split(','),
    concurrency: values.conc.split(',').map((text) => positive('conc', text)),
    scale: positive('scale', values.scale),
    size: positive('size', values.size),
    users: positive('users', values.users),
    active: positive('active', values.active),
    pipelining: values.pipelining,
    strace: resolved(values.strace),
    straceArguments: values['strace-args'].split(' '),
    ...sharedValues(values),
  };
}

function resolved(path) {
  return path === undefined ? undefined : resolve(path);
}

export function positive(name, text) {
  const number = Number(text);
  if (!(number > 0)) throw new TypeError(`--${name} needs a number above 0, not "${text}"`);
  return number;
}

/** One line for each option. */
export function describeOptions(table) {
  return Object.entries(table)
    .map(([name, row]) => {
      const front = `  --${name}${row.type === 'string' ? ` ${name.toUpperCase()}` : ''}`;
      const standard = row.type === 'string' && row.default !== undefined ? ` (${row.default})` : '';
      return `${front.padEnd(28)}${row.doc}${standard}\n`;
    })
    .join('');
}
