/**
 * `tabella rebuild`: makes those tables anew whose text has changed. A table carries the modification time of the text
 * that it was made of; so a text that was put back from a backup counts as changed, too. A text with a mistake, one that
 * is being written at the moment, a disk that is full: the old table stays, and the mistake is told with file and line.
 */

import { CdbFull } from '../lib/cdb.ts';
import * as clock from '../lib/clock.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import { printing } from '../lib/escapes.ts';
import { untilZero } from '../lookups/stored-text.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { SourceProblem } from './dbmbuild-source.ts';
import type { Table } from './table-list.ts';
import { type Filled, fillTable, nameBeside, piecesOf, syncName, takeAfter } from './table-writer.ts';

export interface RebuildRules {
  /** Says what would be done, and makes nothing. */
  readonly dryRun: boolean;
  /** Those that are up to date, too. */
  readonly all: boolean;
}

export type Rebuilt =
  | { readonly outcome: 'current' }
  | { readonly outcome: 'made'; readonly count: number; readonly reason: string }
  /** The text says what the table has already. */
  | { readonly outcome: 'same'; readonly count: number; readonly reason: string }
  | { readonly outcome: 'failed'; readonly problems: readonly string[] };

/** Times of files are compared in milliseconds; setting one may lose a fraction. */
const closeEnough = 1;
/** Milliseconds in which a file may change twice and keep its time, on any file system. */
const coarsest = 2000;
/** Duplicate keys that are told one by one. */
const mostTold = 20;

/** Why a table is made anew; nothing when it is up to date. */
function reasonFor({ target, list }: Table, source: files.Stats): string | undefined {
  const made = files.stat(target);
  if (made === undefined) return 'there is no table';
  const listed = list === undefined ? undefined : files.stat(list);
  if (listed !== undefined && listed.mtimeMs > made.ctimeMs) return `${list} has changed`;
  const difference = source.mtimeMs - made.mtimeMs;
  if (Math.abs(difference) <= closeEnough) return undefined;
  return difference > 0 ? 'the text is newer' : 'the table is not of this text';
}

/** Makes the table anew if its text has changed. */
export async function rebuild(table: Table, rules: RebuildRules): Promise<Rebuilt> {
  const { source } = table;
  const failed = (...problems: readonly string[]): Rebuilt => ({ outcome: 'failed', problems });
  let file: files.Descriptor;
  try {
    file = files.open(source);
  } catch (error) {
    return failed(`${source}: ${errorText(error)}`);
  }
  try {
    const before = files.statOpen(file);
    if (!before.isFile()) return failed(`${source}: not a regular file`);
    const reason = reasonFor(table, before) ?? (rules.all ? 'it was asked for' : undefined);
    if (reason === undefined) return { outcome: 'current' };
    return await makeAnew(table, file, before, reason, rules);
  } catch (error) {
    if (error instanceof SourceProblem) return failed(`${source}:${error.line}: ${error.message}`);
    if (error instanceof CdbFull) return failed(`${table.target}: ${error.message}`);
    if (errorCode(error) === undefined) throw error;
    return failed(`${table.target}: ${errorText(error)}`);
  } finally {
    files.close(file);
  }
}

async function makeAnew(
  table: Table,
  file: files.Descriptor,
  before: files.Stats,
  reason: string,
  rules: RebuildRules,
): Promise<Rebuilt> {
  const { source, options } = table;
  // a link stays a link: the file that it leads to is replaced
  const isLink = files.linkStat(table.target)?.isSymbolicLink() === true && files.stat(table.target) !== undefined;
  const target = isLink ? files.realPath(table.target) : table.target;
  const beside = nameBeside(target, literal('.new'));
  // one that a process of this number left when it was killed
  files.removeIfPossible(beside);
  const made = files.open(beside, files.createNew, 0o600);
  const problems: string[] = [];
  try {
    let filled: Filled;
    try {
      filled = await fillTable(made, piecesOf(file), {
        keepCase: options.has('-nolc'),
        endsWithZero: !options.has('-nozero'),
        lastWins: options.has('-lastdup'),
        duplicate(key, line) {
          if (options.has('-nowarn') || options.has('-noduperr') || problems.length >= mostTold) return;
          problems.push(`${source}:${line}: duplicate key "${printing(untilZero(key), true)}"`);
        },
        ignored(_, line) {
          if (problems.length < mostTold) problems.push(`${source}:${line}: it continues no line`);
        },
      });
      const after = files.stat(source);
      if (!isUnchanged(before, after)) {
        return { outcome: 'failed', problems: [`${source}: it is being changed; the next run makes the table`] };
      }
      if (filled.duplicates > 0 && !options.has('-noduperr')) {
        const remedy = `(-noduperr or -lastdup in a line of tables.conf takes the first or the last of equal keys)`;
        problems.push(
          `${source}: ${filled.duplicates} duplicate ${filled.duplicates === 1 ? 'key' : 'keys'} ${remedy}`,
        );
      }
      if (problems.length > 0) return { outcome: 'failed', problems };
      if (!rules.dryRun) {
        takeAfter(made, files.stat(target) ?? before);
        await files.sync(made);
      }
    } finally {
      files.close(made);
    }
    const isSame = haveSameOctets(beside, target);
    const outcome = isSame ? 'same' : 'made';
    if (rules.dryRun) return { outcome, count: filled.count, reason };
    // a text that changed a moment ago may change once more and keep its time: the next run looks again
    if (clock.now() - before.mtimeMs > coarsest) files.setTime(beside, before.mtimeMs);
    files.rename(beside, target);
    await syncName(target);
    return { outcome, count: filled.count, reason };
  } finally {
    files.removeIfPossible(beside);
  }
}

function isUnchanged(before: files.Stats, after: files.Stats | undefined): boolean {
  return (
    after !== undefined &&
    (['ino', 'size', 'mtimeMs', 'ctimeMs'] as const).every((each) => before[each] === after[each])
  );
}

/** Whether two files are the same, octet by octet. */
function haveSameOctets(one: Clean, other: Clean): boolean {
  const [a, b] = [files.stat(one), files.stat(other)];
  if (a === undefined || b === undefined || !b.isFile() || a.size !== b.size) return false;
  const [first, second] = [files.open(one), files.open(other)];
  try {
    const [x, y] = [Buffer.allocUnsafe(256 * 1024), Buffer.allocUnsafe(256 * 1024)];
    for (let at = 0; at < a.size; ) {
      const count = files.readAt(first, x, at);
      if (count === 0 || files.readAt(second, y, at) !== count) return false;
      if (x.compare(y, 0, count, 0, count) !== 0) return false;
      at += count;
    }
    return true;
  } finally {
    files.close(first);
    files.close(second);
  }
}
