/**
 * Lines of text tables: an entry written so that `lsearch` and exim_dbmbuild read it back, and a table gone through line
 * by line, octet for octet, so that what is not changed stays as somebody wrote it.
 */

import { escapeSequence } from '../../lib/escapes.ts';
import { lower } from '../../lib/octets.ts';
import { dataStart, readKey, skipBlanks, withoutEnd } from '../../lookups/lsearch-text.ts';
import * as files from '../../safe/files.ts';
import { Unreadable } from './record.ts';

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

export interface TableLine {
  /** With its LF, if it has one. */
  readonly raw: string;
  /** In lower case, unless letters count; nothing when the line begins no entry. */
  readonly key: string | undefined;
  /** What it adds to the entry it belongs to; nothing for comments and empty lines. */
  readonly value: string | undefined;
}

const longestLine = 16 * 1024 * 1024;

function lineOf(raw: string, keepsCase: boolean): TableLine {
  const text = withoutEnd(raw);
  if (text === '' || text.startsWith('#')) return { raw, key: undefined, value: undefined };
  if (/^\s/.test(text)) return { raw, key: undefined, value: text.slice(skipBlanks(text, 0)) };
  const { key, end } = readKey(text);
  return { raw, key: keepsCase ? key : lower(key), value: text.slice(dataStart(text, end)) };
}

/** All lines of a table. @throws Unreadable */
export function* tableLines(file: files.Descriptor, keepsCase: boolean): Generator<TableLine> {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let rest = '';
  let position = 0;
  for (let count = files.readAt(file, buffer, 0); count > 0; count = files.readAt(file, buffer, position)) {
    position += count;
    rest += buffer.toString('latin1', 0, count);
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      yield lineOf(rest.slice(from, end + 1), keepsCase);
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > longestLine) throw new Unreadable('a line is longer than 16 MB; this is no table');
  }
  if (rest !== '') yield lineOf(rest, keepsCase);
}

/** Two values that mean the same are the same text here. */
export function comparable(value: string): string {
  return value.replace(/[ \t]*,[ \t]*/g, ',').replace(/[ \t]+/g, ' ');
}
