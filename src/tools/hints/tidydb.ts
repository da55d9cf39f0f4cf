/**
 * exim_tidydb: removes what is old from a hints database, and what is about messages that are gone (Exim spec 54.13). A
 * message counts as there on whatever queue of the spool it is.
 */

import * as clock from '../../lib/clock.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { literal, type QueueId } from '../../safe/taint.ts';
import { Spool } from '../../spool/spool.ts';
import { type HintsTerminal, hintsNamed, type NamedHints, openHints, pathOfHints, usageOf } from './opening.ts';
import type { HintsRecord } from './records.ts';

const thirtyDays = 30 * 86_400;

export function tidydb(words: readonly string[], terminal: HintsTerminal): number {
  let age: number | undefined = thirtyDays;
  let at = 0;
  for (; words[at] === '-t' || words[at] === '-f'; at++) if (words[at] === '-t') age = parseInterval(words[++at] ?? '');
  const named = hintsNamed(words.slice(at));
  if (named === undefined || age === undefined) {
    terminal.out(usageOf('exim_tidydb', '[-t <time>]'));
    return 1;
  }
  terminal.out(`Tidying Exim hints database ${pathOfHints(named)}\n`);
  const file = openHints(named, terminal, 'writing');
  if ('problem' in file) {
    terminal.out(file.problem);
    return 1;
  }
  try {
    const exists = messagesOf(named);
    const oldest = clock.seconds() - age;
    for (const record of named.kind.records(file)) terminal.out(tidied(record, oldest, exists));
  } finally {
    file.close();
  }
  terminal.out('Tidying complete\n');
  return 0;
}

function tidied(record: HintsRecord, oldest: number, exists: (id: QueueId) => boolean): string {
  if (record.updated < oldest) {
    record.delete();
    return `deleted ${record.key} (too old)\n`;
  }
  const messages = record.withoutMessages?.(exists);
  if (messages === undefined || messages.gone === 0) return '';
  if (messages.left > 0) return `updated ${record.key}\n`;
  const isList = !record.key.includes(':') || messages.gone > 1;
  record.delete();
  return `deleted ${record.key} (${isList ? 'empty' : 'no message'})\n`;
}

/** Says whether a message is on any queue of the spool. */
function messagesOf({ spool }: NamedHints): (id: QueueId) => boolean {
  const settings = { hostNumber: 0, owner: undefined, messageLogs: false, preserveMessageLogs: false };
  const queues = [...new Spool({ ...settings, directory: spool, split: false }).queues()];
  return (id) => queues.some((queue) => queue.existingPath(literal('input'), id, literal('-H')) !== undefined);
}
