/**
 * The text that exim_dbmbuild reads (Exim spec 54.9): as for `lsearch`, but read as the original program reads it, which
 * has limits of its own, knows fewer escapes, and goes on with an entry behind comments and empty lines.
 */

import { interpretEscape } from '../lib/escapes.ts';
import { lower } from '../lib/octets.ts';
import { dataStart, isBlank, readKey, skipBlanks, withoutEnd } from '../lookups/lsearch-text.ts';

const longestLine = 19_999;
const longestKey = 255;
const longestValue = 99_999;

/** The text cannot be made into a table, because of one of its lines, counted from 1. */
export class SourceProblem extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

export interface SourceOptions {
  /** Letters keep their case. */
  readonly keepCase: boolean;
  /** Called for each entry, in the order of the text. */
  add(key: string, value: string): void;
  /** Called for a line that continues nothing. */
  ignored(line: string): void;
}

/** Backslash sequences of `lsearch` files, but three letters stand for themselves. */
const interpret: typeof interpretEscape = (text, at) => {
  const letter = text[at + 1] ?? '';
  return letter !== '' && 'bfv'.includes(letter) ? { value: letter, length: 2 } : interpretEscape(text, at);
};

/** Takes the text in pieces of any size. */
export class Source {
  readonly #options: SourceOptions;
  /** The beginning of a line whose end has not come yet. */
  #line = '';
  /** A binary zero came: what follows in the line does not count. */
  #cut = false;
  #key: string | undefined;
  #value = '';
  #lines = 0;
  #begun = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** The number of the line that was read last, from 1. */
  get line(): number {
    return this.#lines;
  }

  /** The number of the line in which the entry begins that is handed to `add`. */
  get entryLine(): number {
    return this.#begun;
  }

  /** Throws SourceProblem, or what `add` throws. */
  take(piece: Buffer): void {
    let from = 0;
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, from)) {
      this.#extend(piece.subarray(from, end));
      this.#finishLine();
      from = end + 1;
    }
    this.#extend(piece.subarray(from));
  }

  /** There is no more text. */
  end(): void {
    this.#finishLine();
    this.#finishEntry();
  }

  #extend(octets: Buffer): void {
    if (this.#cut) return;
    const room = longestLine - this.#line.length;
    const zero = octets.subarray(0, room).indexOf(0);
    if (zero < 0 && octets.length >= room) {
      throw new SourceProblem(`Overlong line read: max permitted length is ${longestLine}`, this.#lines + 1);
    }
    this.#cut = zero >= 0;
    this.#line += octets.toString('latin1', 0, zero < 0 ? octets.length : zero);
  }

  #finishLine(): void {
    this.#lines++;
    const line = withoutEnd(this.#line);
    this.#line = '';
    this.#cut = false;
    if (line === '' || line.startsWith('#')) return;
    if (isBlank(line.charCodeAt(0))) this.#goOn(line);
    else this.#begin(line);
  }

  #goOn(line: string): void {
    if (this.#key === undefined) {
      this.#options.ignored(line);
      return;
    }
    this.#value += ` ${line.slice(skipBlanks(line, 0))}`;
    if (this.#value.length >= longestValue) {
      throw new SourceProblem(
        `Continued set of lines is too long: max permitted length is ${longestValue}`,
        this.#lines,
      );
    }
  }

  #begin(line: string): void {
    this.#finishEntry();
    const { key, end } = readKey(line, interpret);
    if (key.length > longestKey) {
      throw new SourceProblem(`Keys longer than ${longestKey} characters cannot be handled`, this.#lines);
    }
    this.#key = this.#options.keepCase ? key : lower(key);
    this.#begun = this.#lines;
    this.#value = line.slice(dataStart(line, end));
  }

  #finishEntry(): void {
    if (this.#key !== undefined) this.#options.add(this.#key, this.#value);
    this.#key = undefined;
  }
}
