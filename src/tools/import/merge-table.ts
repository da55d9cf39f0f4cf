/**
 * Brings rows into a text table in its place: what stands there stays, new rows are added at the end, and a row that says
 * something else than the table is told, or replaces what is there when that was asked for. The table is written beside
 * its place, synced, and renamed; when nothing is new it is not touched. A table that is not there is made, though it be empty: routers ask for it.
 */

import { createHash } from 'node:crypto';
import * as files from '../../safe/files.ts';
import { type Clean, literal } from '../../safe/taint.ts';
import { takeAfter } from '../replaced-file.ts';
import { nameBeside, syncName } from '../table-writer.ts';
import { type Origin, type Teller, Unreadable } from './record.ts';
import { comparable, type TableLine, tableEntry, tableLines } from './table-lines.ts';

export interface Row {
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
}

export interface MergeRules {
  readonly dryRun: boolean;
  /** Rows of the table give way to new ones of the same key. */
  readonly replace: boolean;
  /** Written at the beginning of a new table. */
  readonly heading: string;
  /** Who may read and write a new table. */
  readonly mode: number;
  /** Keys are names of files, and differ in upper and lower case. */
  readonly keepsCase: boolean;
  /** Told of each row that is new or replaced. */
  change(mark: '+' | '~', row: Row): void;
}

export interface Merged {
  readonly added: number;
  readonly replaced: number;
  /** The table said so already. */
  readonly same: number;
  /** The table says something else, and keeps it. */
  readonly kept: number;
}

function numberOf(value: string): number {
  return createHash('sha256').update(comparable(value), 'latin1').digest().readUIntBE(0, 6);
}

/** What the table has: a number for each value. Of two entries for one key the first counts, as in a lookup. */
function keysOf(lines: Iterable<TableLine>): Map<string, number> {
  const found = new Map<string, number>();
  let current: { key: string; value: string } | undefined;
  const finish = (): void => {
    if (current !== undefined && !found.has(current.key)) found.set(current.key, numberOf(current.value));
  };
  for (const { key, value } of lines) {
    if (key !== undefined) {
      finish();
      current = { key, value: value ?? '' };
    } else if (value !== undefined && current !== undefined) current.value += ` ${value}`;
  }
  finish();
  return found;
}

/** The file that a name leads to: a link stays a link. */
function placeOf(path: Clean): Clean {
  return files.stat(path) === undefined ? path : files.realPath(path);
}

/** `rows` can be gone through several times; no key comes twice in it. @throws Unreadable, or the system's error */
export async function mergeTable(
  path: Clean,
  rows: () => Iterable<Row>,
  rules: MergeRules,
  teller: Teller,
): Promise<Merged> {
  const target = placeOf(path);
  const { keepsCase } = rules;
  const old = files.stat(target) === undefined ? undefined : files.open(target);
  try {
    if (old !== undefined && !files.statOpen(old).isFile()) throw new Unreadable(`${path} is not a regular file`);
    const known = old === undefined ? new Map<string, number>() : keysOf(tableLines(old, keepsCase));
    const counts = { added: 0, replaced: 0, same: 0, kept: 0 };
    const replacements = new Map<string, string>();
    for (const row of rows()) {
      const before = known.get(row.key);
      if (before === undefined) {
        counts.added++;
        rules.change('+', row);
      } else if (before === numberOf(row.value)) counts.same++;
      else if (rules.replace) {
        counts.replaced++;
        replacements.set(row.key, row.value);
        rules.change('~', row);
      } else {
        counts.kept++;
        teller.lost(row.origin, `${row.key}: ${path} says something else, and keeps it (--replace changes it)`);
      }
    }
    if (!rules.dryRun && (old === undefined || counts.added + counts.replaced > 0)) {
      await write(target, old, rules, replacements, newRows(rows, known));
    }
    return counts;
  } finally {
    if (old !== undefined) files.close(old);
  }
}

function* newRows(rows: () => Iterable<Row>, known: ReadonlyMap<string, number>): Generator<string> {
  for (const { key, value } of rows()) if (!known.has(key)) yield tableEntry(key, value);
}

/** The old lines, with those of replaced entries changed. */
function* oldLines(old: files.Descriptor, keepsCase: boolean, replacements: Map<string, string>): Generator<string> {
  let drops = false;
  let last = '\n';
  for (const { raw, key, value } of tableLines(old, keepsCase)) {
    if (key !== undefined) {
      const replacement = replacements.get(key);
      drops = replacement !== undefined;
      if (replacement !== undefined) {
        yield tableEntry(key, replacement);
        last = '\n';
        continue;
      }
    } else if (value !== undefined && drops) continue;
    yield raw;
    last = raw;
  }
  if (!last.endsWith('\n')) yield '\n';
}

async function write(
  target: Clean,
  old: files.Descriptor | undefined,
  { heading, mode, keepsCase }: MergeRules,
  replacements: Map<string, string>,
  added: Iterable<string>,
): Promise<void> {
  const beside = nameBeside(target, literal('.new'));
  files.removeIfPossible(beside);
  const file = files.open(beside, files.createNew, 0o600);
  try {
    try {
      let pending = old === undefined ? heading : '';
      const take = (text: string): void => {
        pending += text;
        if (pending.length < 256 * 1024) return;
        files.write(file, pending);
        pending = '';
      };
      if (old !== undefined) for (const line of oldLines(old, keepsCase, replacements)) take(line);
      for (const entry of added) take(entry);
      files.write(file, pending);
      if (old === undefined) files.setMode(file, mode);
      else takeAfter(file, files.statOpen(old));
      await files.sync(file);
    } finally {
      files.close(file);
    }
    files.rename(beside, target);
    await syncName(target);
  } finally {
    files.removeIfPossible(beside);
  }
}
