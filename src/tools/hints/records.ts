/**
 * What the programs for hints databases show of each kind of database: its records with their keys, their age, and their
 * lines (Exim spec 54.11 - 54.14). Forms and texts are those of Exim's programs; the databases are ours.
 */

import type { HintsFile } from '../../hints/hints.ts';
import type { QueueId } from '../../safe/taint.ts';

/** Shows seconds since 1970. */
export type ShowTime = (seconds: number) => string;

/** What came of a change: the record is shown again, behind a remark, or only the remark is. */
export interface Changed {
  readonly remark?: string;
  readonly isUnchanged?: true;
}

/** One record as these programs know it. */
export interface HintsRecord {
  /** As it is shown and asked for. */
  readonly key: string;
  /** When it was written, in seconds since 1970. */
  readonly updated: number;
  /** What `exim_dumpdb` writes of it. */
  dump(time: ShowTime): string;
  /** What `exim_fixdb` writes of it, below the time. */
  show(time: ShowTime): string;
  /** Changes a field, and writes the record. */
  change(field: number, value: string): Changed;
  delete(): void;
  /** Takes away what is about messages that `exists` does not know; answers how many there were, and how many are left. */
  withoutMessages?(exists: (id: QueueId) => boolean): { readonly gone: number; readonly left: number };
}

export interface HintsKind {
  readonly name: string;
  matches(database: string): boolean;
  records(file: HintsFile): Iterable<HintsRecord>;
}

export const unknownField: Changed = { remark: 'unknown field number\n', isUnchanged: true };

/**
 * A time of the form YYMMDDHHMM, of which the front may be missing: pairs of digits, perhaps with colons between them. It
 * is local time, as what is shown (Exim spec 54.14).
 */
export function readTime(text: string, now: number): number | undefined {
  const digits = text.replaceAll(':', '');
  if (!/^(?:\d\d){1,5}$/.test(digits)) return undefined;
  const pairs = (digits.match(/\d\d/g) ?? []).map(Number).reverse();
  const base = new Date(now * 1000);
  const [minute, hour = base.getHours(), day = base.getDate(), month, year] = pairs;
  const fullYear = year === undefined ? base.getFullYear() : year + (year < 90 ? 2000 : 1900);
  const at = new Date(fullYear, month === undefined ? base.getMonth() : month - 1, day, hour, minute ?? 0);
  return Math.floor(at.getTime() / 1000);
}
