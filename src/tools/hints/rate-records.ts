/** The rates of clients as records; what was counted once of a rate belongs to its record. */

import type { HintsFile } from '../../hints/hints.ts';
import { rateEventKey } from '../../hints/rate-hints.ts';
import * as clock from '../../lib/clock.ts';
import { type Changed, type HintsRecord, readTime, unknownField } from './records.ts';

/** Stands between the key of a rate and what was counted. */
const mark = '\0';

export function* rateRecords(file: HintsFile): Generator<HintsRecord> {
  let last: RateRow | undefined;
  for (const [key, text, expires] of file.entries()) {
    if (key.includes(mark)) {
      if (last !== undefined && key.startsWith(`${last.key}${mark}`)) last.events++;
      continue;
    }
    if (last !== undefined) yield rateRecord(last, file);
    const [time = 0, rate = 0, epoch = 0] = text.split(' ').map(Number);
    last = { key, time, rate, epoch, expires, events: 0 };
  }
  if (last !== undefined) yield rateRecord(last, file);
}

interface RateRow {
  readonly key: string;
  time: number;
  rate: number;
  readonly epoch: number;
  readonly expires: number | undefined;
  events: number;
}

function rateRecord(row: RateRow, file: HintsFile): HintsRecord {
  const { key, epoch, expires } = row;
  const fraction = (): string => (row.time - Math.floor(row.time)).toFixed(6).slice(1);
  const isCounting = row.events > 0;
  const save = (): Changed => {
    file.set(key, `${row.time} ${row.rate} ${epoch}`, expires);
    return {};
  };
  return {
    key,
    updated: row.time,
    dump(time) {
      const more = isCounting ? `epoch: ${time(epoch)} size: ${row.events} ` : '';
      return `${time(row.time)}${fraction()} rate: ${row.rate.toFixed(3).padStart(10)} ${more}key: ${key}\n`;
    },
    show(time) {
      const shown = `0 time stamp:  ${time(row.time)}\n1 fract. time: ${fraction()}\n2 sender rate:  ${row.rate.toFixed(3)}\n`;
      return isCounting
        ? `${shown}3 filter epoch: ${time(epoch)}\n4 test filter membership\n5 add element to filter\n`
        : shown;
    },
    change(field, value) {
      const second = Math.floor(row.time);
      switch (field) {
        case 0: {
          const time = readTime(value, clock.seconds());
          if (time === undefined) return { remark: 'bad time value\n' };
          row.time = time;
          return save();
        }
        case 1:
          row.time = second + (Number.parseInt(value, 10) || 0) / 1_000_000;
          return save();
        case 2:
          row.rate = Number.parseFloat(value) || 0;
          return save();
      }
      if (!isCounting) return unknownField;
      const event = rateEventKey(key, value);
      if (field === 4) return { remark: `${file.get(event) === String(epoch) ? 'seen' : 'unseen'} ${value}\n` };
      if (field !== 5) return unknownField;
      row.events++;
      file.set(event, String(epoch), expires);
      return { remark: `added ${value}\n` };
    },
    delete() {
      file.delete(key);
      file.deleteBetween(`${key}${mark}`, `${key}\x01`);
    },
  };
}
