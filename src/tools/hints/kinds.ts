/** The kinds of hints databases, one row each: how their records are read, shown and changed. */

import type { HintsFile } from '../../hints/hints.ts';
import { offersNotedAt } from '../../hints/offer-hints.ts';
import { parseRetryRecord, type RetryRecord } from '../../hints/retry-hints.ts';
import { readWaitKey, waitKey } from '../../hints/wait-hints.ts';
import * as clock from '../../lib/clock.ts';
import { errorNumberText } from '../../lib/errno.ts';
import { type QueueId, queueId } from '../../safe/taint.ts';
import { calloutRecords } from './callout-records.ts';
import { rateRecords } from './rate-records.ts';
import { type Changed, type HintsKind, type HintsRecord, readTime, unknownField } from './records.ts';

const badTime: Changed = { remark: 'bad time value\n' };

function* retryRecords(file: HintsFile): Generator<HintsRecord> {
  for (const [key, text] of file.entries()) {
    const record = parseRetryRecord(text);
    if (record !== undefined) yield retryRecord(key, record, file);
  }
}

/** Fields by their numbers; the first three of them are numbers of the error, the others times. */
const retryFields = ['code', 'detail', 'firstFailed', 'lastTry', 'nextTry'] as const;

function retryRecord(key: string, read: RetryRecord, file: HintsFile): HintsRecord {
  let record = read;
  const message = (): string => record.message || (record.code > 0 ? errorNumberText(record.code) : '');
  const set = (change: Partial<RetryRecord>): Changed => {
    record = { ...record, ...change };
    file.set(key, JSON.stringify(record));
    return {};
  };
  const id = queueId(key.slice(key.lastIndexOf(':') + 1));
  return {
    key,
    updated: record.lastTry,
    dump(time) {
      const { code, detail, firstFailed, lastTry, nextTry, expired } = record;
      const end = expired ? '*' : '';
      return `  ${key} ${code} ${detail} ${message()}\n${time(firstFailed)}  ${time(lastTry)}  ${time(nextTry)} ${end}\n`;
    },
    show(time) {
      const { code, detail, firstFailed, lastTry, nextTry, expired } = record;
      return `0 error number: ${code} ${message()}
1 extra data:   ${detail}
2 first failed: ${time(firstFailed)}
3 last try:     ${time(lastTry)}
4 next try:     ${time(nextTry)}
5 expired:      ${expired ? 'yes' : 'no'}
`;
    },
    change(field, value) {
      if (field === 5) {
        if (value !== 'yes' && value !== 'no') return { remark: `"yes" or "no" expected=${value}\n` };
        return set({ expired: value === 'yes' });
      }
      const name = retryFields[field];
      if (name === undefined) return unknownField;
      if (field < 2) return set({ [name]: Number.parseInt(value, 10) || 0 });
      const time = readTime(value, clock.seconds());
      return time === undefined ? badTime : set({ [name]: time });
    },
    delete: () => file.delete(key),
    ...(id === undefined
      ? {}
      : { withoutMessages: (exists) => (exists(id) ? { gone: 0, left: 1 } : { gone: 1, left: 0 }) }),
  };
}

/** All messages of one host are one record; only one host's are in memory at a time. */
function* waitRecords(file: HintsFile): Generator<HintsRecord> {
  let host: string | undefined;
  let ids: QueueId[] = [];
  let updated = 0;
  for (const [key, , expires] of file.entries()) {
    const read = readWaitKey(key);
    if (read === undefined) continue;
    if (host !== undefined && host !== read.host) {
      yield waitRecord(host, ids, updated, file);
      ids = [];
      updated = 0;
    }
    host = read.host;
    ids.push(read.id);
    updated = Math.max(updated, (expires ?? 0) - thirtyDays);
  }
  if (host !== undefined) yield waitRecord(host, ids, updated, file);
}

/** Seconds for which reminders, and what was seen, are kept at least. */
const thirtyDays = 30 * 86_400;

function waitRecord(host: string, ids: readonly QueueId[], updated: number, file: HintsFile): HintsRecord {
  let left = ids;
  const text = (): string => `${left.map((id) => `${id} `).join('')}\n`;
  const forget = (gone: readonly QueueId[]): void => {
    for (const id of gone) file.delete(waitKey(host, id));
    left = left.filter((id) => !gone.includes(id));
  };
  return {
    key: host,
    updated,
    dump: () => `${host} ${text()}`,
    show: () => `Sequence: 0\n${text()}`,
    change: (field) => (field === 0 ? { remark: "Can't change contents of wait database record\n" } : unknownField),
    delete: () => forget(left),
    withoutMessages(exists) {
      const gone = left.filter((id) => !exists(id));
      forget(gone);
      return { gone: gone.length, left: left.length };
    },
  };
}

function* seenRecords(file: HintsFile): Generator<HintsRecord> {
  for (const [key, text, expires] of file.entries()) {
    let seen = Number(text);
    yield {
      key,
      updated: seen,
      dump: (time) => `${key}\t${time(seen)}\n`,
      show: () => '',
      change() {
        seen = clock.seconds();
        file.set(key, String(seen), expires);
        return {};
      },
      delete: () => file.delete(key),
    };
  }
}

/** What servers have offered; only when it was noted is shown. */
function* offerRecords(file: HintsFile): Generator<HintsRecord> {
  for (const [key, text] of file.entries()) {
    const updated = offersNotedAt(text);
    if (updated === undefined) continue;
    yield {
      key,
      updated,
      dump: (time) => `${time(updated)} ${key}\n`,
      show: () => '',
      change: () => unknownField,
      delete: () => file.delete(key),
    };
  }
}

const named = (name: string, records: HintsKind['records']): HintsKind => ({
  name,
  matches: (database) => database === name,
  records,
});

const nothing = (): readonly HintsRecord[] => [];

export const hintsKinds: readonly HintsKind[] = [
  named('retry', retryRecords),
  named('misc', offerRecords),
  {
    name: 'wait-<transport-name>',
    matches: (database) => database.startsWith('wait-') && !database.includes('/'),
    records: waitRecords,
  },
  named('callout', calloutRecords),
  named('ratelimit', rateRecords),
  named('tls', nothing),
  named('seen', seenRecords),
];
