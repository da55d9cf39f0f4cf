/**
 * Lines of text tables: an entry written so that `lsearch` and exim_dbmbuild read it back, and a table gone through line
 * by line, octet for octet, so that what is not changed stays as somebody wrote it.
 */

import { escapeSequence } from '../../lib/escapes.ts';
import { lower } from '../../lib/octets.ts';
import { dataStart, readKey, skipBlanks, withoutEnd } from '../../lookups/lsearch-text.ts';
import type * as files from '../../safe/files.ts';
import { wholeLines } from './whole-lines.ts';

/** A line longer than this is broken at a comma. */
const usualLine = 500;

/** An entry, with its line ends. */
export function tableEntry(key: string, value: string): string {
  const plain = /^[^\s:"#\x00-\x1f\x7f][^\s:"\x00-\x1f\x7f]*$/.test(key);
  const name = plain
    ? key
    : `"${key.replace(/[\x00-\x1f\x7f"\\]/g, (c) => (c === '"' || c === '\\' ? `\\${c}` : escapeSequence(c)))}"`;
  if (value === '') return `${name}\n`;
  if (value.length < usualLine || value.includes('"')) return `${name}: ${value}\n`;
  return `${name}: ${value.replaceAll(', ', ',\n\t')}\n`;
}

/** Octets of a line. */
const longestLine = 16 * 1024 * 1024;

export interface TableLine {
  /** With its LF, if it has one. */
  readonly raw: string;
  /** In lower case, unless letters count; nothing when the line begins no entry. */
  readonly key: string | undefined;
  /** What it adds to the entry it belongs to; nothing for comments and empty lines. */
  readonly value: string | undefined;
}

function lineOf(raw: string, keepsCase: boolean): TableLine {
  const text = withoutEnd(raw);
  if (text === '' || text.startsWith('#')) return { raw, key: undefined, value: undefined };
  if (/^\s/.test(text)) return { raw, key: undefined, value: text.slice(skipBlanks(text, 0)) };
  const { key, end } = readKey(text);
  return { raw, key: keepsCase ? key : lower(key), value: text.slice(dataStart(text, end)) };
}

/** All lines of a table. @throws Unreadable */
export function* tableLines(file: files.Descriptor, keepsCase: boolean): Generator<TableLine> {
  for (const line of wholeLines(file, longestLine)) yield lineOf(line, keepsCase);
}

/** Two values that mean the same are the same text here. */
export function comparable(value: string): string {
  return value.replace(/[ \t]*,[ \t]*/g, ',').replace(/[ \t]+/g, ' ');
}
