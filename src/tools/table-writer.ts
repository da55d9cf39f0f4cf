/**
 * Makes a table out of text as exim_dbmbuild reads it: a cdb file, written beside its place, synced, and renamed, so that
 * a reader finds the old table or the new one, whole. If anything goes wrong the old one stays. Memory does not depend on
 * the length of the text, but for about 20 octets for each key.
 */

import { CdbWriter } from '../lib/cdb.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, decimal, literal } from '../safe/taint.ts';
import { Source } from './dbmbuild-source.ts';

/** What the options of exim_dbmbuild ask for, and who is told of what is odd; lines are counted from 1. */
export interface TableRules {
  /** `-nolc`: letters of keys keep their case. */
  readonly keepCase: boolean;
  /** Not `-nozero`: a binary zero stands behind keys and values, as `dbm` lookups want it. */
  readonly endsWithZero: boolean;
  /** `-lastdup`: of equal keys the last counts, and not the first. */
  readonly lastWins: boolean;
  duplicate(key: string, line: number): void;
  /** A line that continues nothing. */
  ignored(text: string, line: number): void;
}

export interface Filled {
  /** Different keys. */
  readonly count: number;
  /** Entries whose key was there already. */
  readonly duplicates: number;
}

/** Writes the table into an empty file. @throws SourceProblem, CdbFull, or the system's error */
export async function fillTable(
  file: files.Descriptor,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  rules: TableRules,
): Promise<Filled> {
  const end = rules.endsWithZero ? '\0' : '';
  const table = new CdbWriter(file);
  let duplicates = 0;
  const source = new Source({
    keepCase: rules.keepCase,
    add(key, value) {
      const octets = (text: string): Buffer => Buffer.from(text + end, 'latin1');
      if (table.add(octets(key), octets(value), rules.lastWins)) return;
      duplicates++;
      rules.duplicate(key, source.entryLine);
    },
    ignored: (text) => rules.ignored(text, source.line),
  });
  for await (const piece of pieces) source.take(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
  source.end();
  table.finish();
  return { count: table.count, duplicates };
}

/** A name beside a file that no other process uses. */
export function nameBeside(target: Clean, ending: Clean): Clean {
  return concat(target, ending, literal('.'), decimal(process.pid));
}

/** Waits until a new name is on the disk. A directory that cannot be read cannot be synced; the file is there. */
export async function syncName(target: Clean): Promise<void> {
  const here = target.startsWith('/') ? literal('/') : literal('.');
  await files.syncDirectory(files.parentOf(target) ?? here).catch(() => undefined);
}

/** The octets of a file. */
export function* piecesOf(file: files.Descriptor): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (let count = files.readNext(file, buffer); count > 0; count = files.readNext(file, buffer)) {
    yield buffer.subarray(0, count);
  }
}
