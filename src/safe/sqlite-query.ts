/**
 * Queries for SQLite of which some pieces came from outside. This is where it is proven that such a piece cannot change
 * what a query does: within a quoted string it becomes part of the value of a parameter, so that SQLite never reads it as
 * SQL, whether it was quoted or not; in any other place the query is refused.
 *
 * The text is read with SQLite's rules for tokens. A mistake in that could at worst put a parameter where SQLite wants
 * none: the statement holds clean text and names of parameters, and nothing else.
 */

import { type Clean, reviewed, type Taint, type Text } from './taint.ts';

export interface BoundStatement {
  readonly sql: Clean;
  /** By the names of the parameters; UTF-8 was decoded. */
  readonly values: Readonly<Record<string, string>>;
  /** Whether it can be meant to change nothing. */
  readonly reads: boolean;
}

export type BoundQuery =
  | {
      readonly statements: readonly BoundStatement[];
      /** Whether a piece from outside was not quoted for SQLite; Exim writes a line to the log. */
      readonly unquoted: boolean;
    }
  | { readonly error: string };

const longest = 1024 * 1024;

const decode = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

class Refusal extends Error {}

/** Which taint the octets of a text have; asked from left to right. */
class Taints {
  readonly #ends: { readonly end: number; readonly taint: Taint }[] = [];
  #index = 0;

  constructor(text: Text) {
    let end = 0;
    for (const { value, taint } of text.pieces) {
      end += value.length;
      this.#ends.push({ end, taint });
    }
  }

  #pieceAt(place: number): { readonly end: number; readonly taint: Taint } {
    while (this.#index > 0 && (this.#ends[this.#index - 1]?.end ?? 0) > place) this.#index--;
    while (this.#index < this.#ends.length - 1 && (this.#ends[this.#index]?.end ?? 0) <= place) this.#index++;
    return this.#ends[this.#index] ?? { end: 0, taint: 'tainted' };
  }

  at(place: number): Taint {
    return this.#pieceAt(place).taint;
  }

  /** Where the piece ends that the octet is in. */
  endAt(place: number): number {
    return this.#pieceAt(place).end;
  }

  /** Whether all octets from `start` up to `end` are clean. */
  areClean(start: number, end: number): boolean {
    for (let place = start; place < end; place = this.endAt(place)) if (this.at(place) !== 'clean') return false;
    return true;
  }
}

/** Tokens that are copied as they are; what is left over is copied one octet at a time. */
const tokens: readonly RegExp[] = [
  /--[^\n]*/y,
  /\/\*.*?(?:\*\/|$)/sy,
  /[xX]'[^']*'?/y,
  /"[^"]*(?:""[^"]*)*"?/y,
  /`[^`]*(?:``[^`]*)*`?/y,
  /\[[^\]]*\]?/y,
  /[A-Za-z_$\x80-\xff][\w$\x80-\xff]*/y,
  /./sy,
];

const commentsAndBlanks = /^(?:[ \t\n\f\r]+|--[^\n]*(?:\n|$)|\/\*.*?(?:\*\/|$))*/s;
const reading = /^(?:select|values|explain|with|pragma)\b/i;

interface StringLiteral {
  readonly end: number;
  readonly value: string;
  readonly isClean: boolean;
}

class Binder {
  readonly #text: string;
  readonly #taints: Taints;
  readonly #prefix: string;
  readonly #statements: BoundStatement[] = [];
  #sql = '';
  #values: Record<string, string> = {};
  #count = 0;
  unquoted = false;

  constructor(query: Text) {
    this.#text = query.value;
    this.#taints = new Taints(query);
    let prefix = ':piece';
    while (this.#text.includes(prefix)) prefix += '_';
    this.#prefix = prefix;
  }

  bind(): readonly BoundStatement[] {
    let at = 0;
    while (at < this.#text.length) {
      const character = this.#text[at];
      if (character === "'" && this.#taints.at(at) === 'clean') at = this.#takeString(at);
      else at = this.#takeToken(at, character === ';');
    }
    this.#endStatement();
    return this.#statements;
  }

  #takeToken(at: number, ends: boolean): number {
    const end = this.#tokenEnd(at);
    if (!this.#taints.areClean(at, end)) {
      throw new Refusal(`tainted text in a query may only stand within single quotes: ${this.#text}`);
    }
    this.#sql += this.#text.slice(at, end);
    if (ends) this.#endStatement();
    return end;
  }

  #tokenEnd(at: number): number {
    for (const token of tokens) {
      token.lastIndex = at;
      if (token.test(this.#text)) return token.lastIndex;
    }
    return at + 1;
  }

  #takeString(at: number): number {
    const { end, value, isClean } = this.#readString(at);
    if (isClean) {
      this.#sql += this.#text.slice(at, end);
    } else {
      const name = `${this.#prefix}${++this.#count}`;
      this.#values[name] = decode(value);
      // a name never runs into the word behind it
      this.#sql += `${name} `;
    }
    return end;
  }

  /** The string whose opening quote is at `start`. Only a clean quote ends it. */
  #readString(start: number): StringLiteral {
    let value = '';
    let isClean = true;
    for (let at = start + 1; at < this.#text.length; ) {
      const taint = this.#taints.at(at);
      const character = this.#text[at] ?? '';
      if (taint !== 'clean') isClean = false;
      if (taint !== 'clean' && taint !== 'quoted:sqlite') this.unquoted = true;
      if (character !== "'" || (taint !== 'clean' && taint !== 'quoted:sqlite')) {
        value += character;
        at++;
        continue;
      }
      const isDoubled = this.#text[at + 1] === "'" && this.#taints.at(at + 1) === taint;
      if (isDoubled) {
        value += "'";
        at += 2;
      } else if (taint === 'clean') {
        return { end: at + 1, value, isClean };
      } else {
        throw new Refusal(`half of a quoted quote in a query: ${this.#text}`);
      }
    }
    if (!isClean) throw new Refusal(`a string with tainted text has no closing quote in a query: ${this.#text}`);
    return { end: this.#text.length, value, isClean };
  }

  #endStatement(): void {
    const words = this.#sql.replace(commentsAndBlanks, '');
    if (words !== '' && words !== ';') {
      const sql = reviewed(decode(this.#sql), 'it holds clean pieces and names of parameters alone');
      this.#statements.push({ sql, values: this.#values, reads: reading.test(words) });
    }
    this.#sql = '';
    this.#values = {};
  }
}

/** The statements of a query, with what came from outside as values. */
export function bindSqlite(query: Text): BoundQuery {
  if (query.value.length > longest) return { error: 'a query is longer than 1 MB' };
  const binder = new Binder(query);
  try {
    const statements = binder.bind();
    return { statements, unquoted: binder.unquoted };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.message };
    throw error;
  }
}
