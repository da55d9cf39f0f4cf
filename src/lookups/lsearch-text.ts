/**
 * The text of `lsearch` files (Exim spec 9.3), for all lookups that search such files: keys, quoted or not, and data that
 * may go on in the following lines. Read as Exim 4.96 reads it, in two points against its manual: an empty line or a
 * comment ends the data of the entry before it, and a line with a binary zero ends there and takes in the next line.
 */

import { interpretEscape } from '../lib/escapes.ts';

/** The octets of a line in which its key must stand. */
export const longestKeyLine = 4095;

export interface Entry {
  /** The key without its quotes, in the case it is written in. */
  readonly key: string;
  readonly value: string;
  /** The key and all that stands behind it (`ret=full`). */
  readonly full: string;
}

/** Whether C takes the octet for white space. */
export function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

const hash = 0x23;
const colon = 0x3a;
const quote = 0x22;
const newline = 0x0a;

interface Line {
  /** Without its end, and without the blanks before that. */
  readonly text: string;
  /** What stood before the first binary zero; all of it when there was none. Keys end there, and blanks are skipped. */
  readonly first: string;
  readonly hasZero: boolean;
  readonly next: number;
}

/** The line that begins at `start`; nothing when `text` breaks off in it. */
function lineAt(text: string, start: number, atEnd: boolean): Line | undefined {
  let before = '';
  let first: string | undefined;
  for (let from = start; ; ) {
    const end = text.indexOf('\n', from);
    if (end < 0 && !atEnd) return undefined;
    const next = end < 0 ? text.length : end + 1;
    const line = text.slice(from, end < 0 ? undefined : end);
    const zero = line.indexOf('\0');
    if (zero < 0) {
      const whole = before + (end < 0 ? line : withoutEnd(line));
      return { text: whole, first: first ?? whole, hasZero: first !== undefined, next };
    }
    before += line.slice(0, zero);
    first ??= before;
    if (end < 0) return { text: before, first, hasZero: true, next };
    from = next;
  }
}

/** The text without the blanks at its end. */
export function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Where the text goes on behind the blanks at `from`. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The key at the beginning of a line, and where it ends. `interpret` knows what a backslash in quotes means. */
export function readKey(
  line: string,
  interpret: typeof interpretEscape = interpretEscape,
): { readonly key: string; readonly end: number } {
  if (line.charCodeAt(0) !== quote) {
    let end = 0;
    while (end < line.length && line.charCodeAt(end) !== colon && !isBlank(line.charCodeAt(end))) end++;
    return { key: line.slice(0, end), end };
  }
  let key = '';
  let at = 1;
  while (at < line.length && line.charCodeAt(at) !== quote) {
    if (line[at] === '\\') {
      const sequence = interpret(line, at);
      key += sequence.value;
      at += sequence.length;
    } else {
      key += line[at++];
    }
  }
  return { key, end: Math.min(at + 1, line.length) };
}

/** Where the data of a line begin, when its key ends at `end`: behind blanks and a colon, if there is one. */
export function dataStart(line: string, end: number): number {
  const at = skipBlanks(line, end);
  return line.charCodeAt(at) === colon ? skipBlanks(line, at + 1) : at;
}

/**
 * The entry that begins at the beginning of `text`; nothing when the text breaks off before its end. `atEnd` says that
 * the file ends with the text.
 */
export function readEntry(text: string, atEnd: boolean): Entry | undefined {
  const line = lineAt(text, 0, atEnd);
  if (line === undefined) return undefined;
  const { key, end } = readKey(line.first.slice(0, longestKeyLine));
  let rest = '';
  for (let at = line.next; ; ) {
    if (at >= text.length && !atEnd) return undefined;
    if (at >= text.length || !isBlank(text.charCodeAt(at))) break;
    const more = lineAt(text, at, atEnd);
    if (more === undefined) return undefined;
    const start = skipBlanks(more.first, 0);
    if (start === more.text.length && !more.hasZero && text.charCodeAt(more.next - 1) === newline) break;
    rest += ` ${more.text.slice(start)}`;
    at = more.next;
  }
  return {
    key,
    value: line.text.slice(dataStart(line.first, end)) + rest,
    full: key + line.text.slice(end) + rest,
  };
}

/** Whether a line that begins with this octet begins an entry. */
function beginsEntry(code: number | undefined): boolean {
  return code !== undefined && code !== hash && code !== 0 && !isBlank(code);
}

/**
 * Finds the beginnings of entries in a file that is read piece by piece. A piece goes on where the one before ended,
 * less what `take` left of it.
 */
export class EntryFinder {
  /** What comes next continues a line. */
  #inLine = false;
  /** The line that broke off at the end of the last piece had a binary zero there. */
  #hasZero = false;

  /**
   * Calls `visit` for each entry that begins in `piece`, with the place of its first line there; only the first
   * `longestKeyLine` octets of the line are surely there. Answers how much of the piece is done with.
   */
  take(piece: Buffer, isLast: boolean, visit: (start: number, end: number) => void): number {
    let zero = -2;
    for (let at = 0; at < piece.length; ) {
      const found = piece.indexOf(newline, at);
      if (found < 0 && !isLast && (at > 0 || piece.length < longestKeyLine)) return at;
      const end = found < 0 ? piece.length : found;
      if (zero !== -1 && zero < at) zero = piece.indexOf(0, at);
      const cut = zero >= 0 && zero < end;
      if (!this.#inLine && beginsEntry(piece[at])) visit(at, cut ? zero : end);
      const joins = cut || this.#hasZero;
      this.#inLine = found < 0 || joins;
      this.#hasZero = found < 0 && joins;
      at = found < 0 ? end : end + 1;
    }
    return piece.length;
  }
}

const hashStart = (Math.random() * 2 ** 32) >>> 0;

/** A number of 32 bits for a key, the same for upper and lower case; another one in each process. */
export function hashKey(key: string): number {
  let sum = hashStart;
  for (let at = 0; at < key.length; at++) sum = mix(sum, key.charCodeAt(at));
  return sum >>> 0;
}

/** The key of the line that lies in `piece` from `start` to `end`. */
export function keyOfLine(piece: Buffer, start: number, end: number): string {
  return readKey(withoutEnd(piece.toString('latin1', start, Math.min(end, start + longestKeyLine)))).key;
}

/** `hashKey` of that key. */
export function hashKeyOfLine(piece: Buffer, start: number, end: number): number {
  if (piece[start] === quote) return hashKey(keyOfLine(piece, start, end));
  const last = Math.min(end, start + longestKeyLine);
  let sum = hashStart;
  for (let at = start; at < last; at++) {
    const code = piece[at] ?? 0;
    if (code === colon || isBlank(code)) break;
    sum = mix(sum, code);
  }
  return sum >>> 0;
}

function mix(sum: number, code: number): number {
  return Math.imul(sum ^ (code >= 0x41 && code <= 0x5a ? code + 0x20 : code), 0x01000193);
}
