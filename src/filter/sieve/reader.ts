/**
 * Reads the words of a Sieve script (RFC 5228 §2, §8.1) as Exim does: lines end with LF, which in strings becomes CRLF,
 * and an octet 0 ends the script. What is read where is decided by who calls.
 */

import { lower } from '../../lib/octets.ts';
import { decodeCharacters, UnicodeOutOfRange } from './encoded-character.ts';

/** A mistake in a script, in Exim's words. */
export class SieveMistake extends Error {}

/** Numbers are unsigned and have 64 bits. */
const numberLimit = 2n ** 64n;
const units: Readonly<Record<string, bigint>> = { '': 1n, K: 2n ** 10n, M: 2n ** 20n, G: 2n ** 30n };

const blanks = /[ \t\n]+/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /([0-9]+)([KMG]?)/y;
const multiLineStart = /text:[ \t]*/y;

export class SieveReader {
  readonly #text: string;
  #at = 0;
  /** The line of what is read next. */
  line = 1;
  /** Strings may have `${hex:…}` and `${unicode:…}` (RFC 5228 §2.4.2.4). */
  encodedCharacters = false;

  constructor(text: string) {
    const end = text.indexOf('\0');
    this.#text = end < 0 ? text : text.slice(0, end);
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** A mistake at this place. */
  mistake(message: string): SieveMistake {
    return new SieveMistake(`${message} in line ${this.line}`);
  }

  /** Passes blanks and comments. Lines within a comment in brackets are not counted, as in Exim. @throws SieveMistake */
  skip(): void {
    for (;;) {
      this.#match(blanks);
      if (this.#startsWith('#')) this.#passComment('\n');
      else if (this.#startsWith('/*')) this.#passComment('*/');
      else return;
    }
  }

  /** Takes the word if it is that one, in any case. */
  takeWord(wanted: string): boolean {
    const found = this.#peek(word)?.[0];
    if (found === undefined || lower(found) !== wanted) return false;
    this.#at += found.length;
    return true;
  }

  /** The next word in lower case, which is not taken. */
  get nextWord(): string | undefined {
    const found = this.#peek(word)?.[0];
    return found === undefined ? undefined : lower(found);
  }

  /** Takes one of the tags `:name`, and says which. */
  takeTag<Name extends string>(names: readonly Name[]): Name | undefined {
    if (!this.#startsWith(':')) return undefined;
    word.lastIndex = this.#at + 1;
    const found = word.exec(this.#text)?.[0];
    const tag = names.find((name) => found !== undefined && lower(found) === name);
    if (tag !== undefined) this.#at += 1 + tag.length;
    return tag;
  }

  take(character: string): boolean {
    if (!this.#startsWith(character)) return false;
    this.#at += character.length;
    return true;
  }

  /** A number, with K, M or G for 2^10, 2^20 and 2^30. @throws SieveMistake */
  number(): number {
    const found = this.#match(number);
    if (found === undefined) throw this.mistake('missing number');
    const value = found.length > 40 ? numberLimit : BigInt(found.replace(/[KMG]/, '')) * (units[found.slice(-1)] ?? 1n);
    if (value >= numberLimit) throw this.mistake('Numerical result out of range');
    return Number(value);
  }

  /** A string of either form, or nothing when there is none. @throws SieveMistake */
  string(): string | undefined {
    const text = this.take('"')
      ? this.#quoted()
      : this.#match(multiLineStart) === undefined
        ? undefined
        : this.#lines();
    if (text === undefined || !this.encodedCharacters) return text;
    try {
      return decodeCharacters(text);
    } catch (error) {
      if (error instanceof UnicodeOutOfRange) throw this.mistake('unicode character out of range');
      throw error;
    }
  }

  /** A string that must be there. @throws SieveMistake with that message */
  requiredString(missing: string): string {
    this.skip();
    const text = this.string();
    if (text === undefined) throw this.mistake(missing);
    return text;
  }

  /** A list of strings, or one string. @throws SieveMistake */
  stringList(missing: string): readonly string[] {
    this.skip();
    if (!this.take('[')) return [this.requiredString(missing)];
    const list: string[] = [];
    this.skip();
    if (this.take(']')) return list;
    for (;;) {
      list.push(this.requiredString('missing string list'));
      this.skip();
      if (this.take(']')) return list;
      if (!this.take(',')) throw this.mistake('missing string list');
    }
  }

  semicolon(): void {
    this.skip();
    if (!this.take(';')) throw this.mistake('missing semicolon');
  }

  #quoted(): string {
    const pieces: string[] = [];
    for (;;) {
      const piece = this.#match(/[^"\\\n]+/y);
      if (piece !== undefined) pieces.push(piece);
      if (this.atEnd) throw this.mistake('missing end of string');
      const character = this.#text[this.#at++];
      if (character === '"') return pieces.join('');
      if (character === '\n') {
        this.line++;
        pieces.push('\r\n');
      } else {
        if (this.atEnd) throw this.mistake('missing end of string');
        pieces.push(this.#text[this.#at++] ?? '');
      }
    }
  }

  /** The lines behind `text:` up to one that is only a dot. The first line is taken as it is, even when it is a dot. */
  #lines(): string {
    if (this.#startsWith('#')) this.#passComment('\n');
    else if (this.take('\n')) this.line++;
    else throw this.mistake('syntax error');
    const lines: string[] = [];
    while (!this.atEnd) {
      const end = this.#text.indexOf('\n', this.#at);
      const line = this.#text.slice(this.#at, end < 0 ? undefined : end);
      this.#at += line.length;
      if (end < 0) break;
      this.#at++;
      this.line++;
      const isFirst = lines.length === 0;
      if (line === '.' && !isFirst) return lines.join('');
      lines.push(`${line.startsWith('..') && !isFirst ? line.slice(1) : line}\r\n`);
    }
    throw this.mistake('missing end of multi line string');
  }

  #passComment(end: '\n' | '*/'): void {
    const stop = this.#text.indexOf(end, this.#at + (end === '\n' ? 1 : 2));
    if (stop < 0) throw this.mistake('missing end of comment');
    this.#at = stop + end.length;
    if (end === '\n') this.line++;
  }

  #startsWith(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #peek(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text) ?? undefined;
  }

  /** Takes what matches, and counts its lines. */
  #match(pattern: RegExp): string | undefined {
    const found = this.#peek(pattern)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    for (let at = found.indexOf('\n'); at >= 0; at = found.indexOf('\n', at + 1)) this.line++;
    return found;
  }
}
