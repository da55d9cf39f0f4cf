/**
 * SQL queries of which some pieces came from outside. This is where it is proven that such a piece cannot change what a
 * query does: within a quoted string it becomes part of the value of a parameter, so that the database never reads it as
 * SQL, whether it was quoted or not; where the dialect allows it a piece alone may also be a value; in any other place
 * the query is refused.
 *
 * The text is read with the dialect's rules for tokens. A mistake in that could at worst put a parameter where the
 * database wants none: the statement holds clean text and parameters, and nothing else.
 */

import { longestQuery, Refusal, Taints } from './query-taints.ts';
import { type Clean, reviewed, type Text } from './taint.ts';

/** How a string is written. */
export interface StringForm {
  /** Octets of its beginning, the quote included. */
  readonly opening: number;
  /** What ends it. */
  readonly quote: string;
  /** Whether the quote twice stands for itself. */
  readonly doubling: boolean;
  /** What a backslash at `at` and what follows it stand for; without it a backslash is a backslash. */
  readonly escape?: (text: string, at: number) => { readonly value: string; readonly length: number };
  /** Two strings are one when this stands between them, the opening quote of the second included. */
  readonly between?: RegExp;
}

export interface SqlDialect {
  /** The lookup type, whose quoting operator makes pieces `quoted:` for it. */
  readonly driver: string;
  /** The string that begins at `at`. */
  stringAt(text: string, at: number): StringForm | undefined;
  /** Tokens that are copied as they are; sticky. What is left over is copied one octet at a time. */
  readonly tokens: readonly (RegExp | ((text: string, at: number) => number))[];
  readonly commentsAndBlanks: RegExp;
  /** The beginning of a statement that can be meant to change nothing. */
  readonly reading: RegExp;
  /**
   * How parameters, numbered from 1, are written in a query with this text. Where a database has none in its text
   * protocol it is the value itself, written so that no octet of it stands there: by its numbers. `isBare`: it stands
   * there without quotes.
   */
  parameters(query: string): (number: number, value: string, isBare: boolean) => string;
  /** Parameters that the query has of its own; a value from outside cannot be told from theirs. */
  readonly ownParameter?: RegExp;
  /** What may stand before a piece that is a value without quotes; without it there is no such value. */
  readonly beforeValue?: RegExp;
}

export interface BoundSql {
  readonly sql: Clean;
  /** Of the parameters, in order; UTF-8 was decoded. */
  readonly values: readonly string[];
  /** Their names, where they have one. */
  readonly parameters: readonly string[];
  /** Whether it can be meant to change nothing. */
  readonly reads: boolean;
  /** Whether the connection is after it as it was before; a transaction that was begun is not. */
  readonly leavesNothing: boolean;
}

export interface SqlQuery {
  readonly statements: readonly BoundSql[];
  /** Whether a piece from outside was not quoted for the database; Exim writes a line to the log. */
  readonly unquoted: boolean;
}

const changingRows = /^(?:insert|update|delete|replace|merge)\b/i;

const afterValue = /[ \t\n\f\r,);]/;

/** Octets as the text they are in UTF-8. */
export const decodeUtf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

interface StringLiteral {
  readonly end: number;
  readonly value: string;
  readonly isClean: boolean;
}

class Binder {
  readonly #dialect: SqlDialect;
  readonly #text: string;
  readonly #taints: Taints;
  readonly #quoted: string;
  readonly #parameter: (number: number, value: string, isBare: boolean) => string;
  readonly #statements: BoundSql[] = [];
  #sql = '';
  #values: string[] = [];
  #parameters: string[] = [];
  #hasOwnParameter = false;
  unquoted = false;

  constructor(query: Text, dialect: SqlDialect) {
    this.#dialect = dialect;
    this.#text = query.value;
    this.#taints = new Taints(query);
    this.#quoted = `quoted:${dialect.driver}`;
    this.#parameter = dialect.parameters(query.value);
  }

  bind(): readonly BoundSql[] {
    let at = 0;
    while (at < this.#text.length) {
      const form = this.#dialect.stringAt(this.#text, at);
      if (form !== undefined && this.#taints.areClean(at, at + form.opening)) at = this.#takeString(at, form);
      else if (this.#dialect.beforeValue !== undefined && this.#taints.at(at) !== 'clean') at = this.#takeValue(at);
      else at = this.#takeToken(at);
    }
    this.#endStatement();
    return this.#statements;
  }

  #refuse(): never {
    const alone = this.#dialect.beforeValue === undefined ? '' : ` or alone as a value`;
    const remedy = this.#dialect.driver === 'sqlite' ? '' : `, as in '\${quote_${this.#dialect.driver}:$local_part}'`;
    throw new Refusal(`tainted text in a query may only stand within single quotes${alone}${remedy}: ${this.#text}`);
  }

  #takeToken(at: number): number {
    const end = this.#tokenEnd(at);
    if (!this.#taints.areClean(at, end)) this.#refuse();
    const own = this.#dialect.ownParameter;
    const token = this.#text.slice(at, end);
    if (own?.test(token)) this.#hasOwnParameter = true;
    this.#sql += token;
    if (token === ';') this.#endStatement();
    return end;
  }

  #tokenEnd(at: number): number {
    for (const token of this.#dialect.tokens) {
      if (typeof token === 'function') {
        const end = token(this.#text, at);
        if (end > at) return end;
        continue;
      }
      token.lastIndex = at;
      if (token.test(this.#text)) return token.lastIndex;
    }
    return at + 1;
  }

  #bindValue(value: string, isBare: boolean): void {
    const parameter = this.#parameter(this.#values.length + 1, value, isBare);
    this.#values.push(decodeUtf8(value));
    this.#parameters.push(parameter);
    // it never runs into the word behind it
    this.#sql += `${parameter} `;
  }

  #takeValue(at: number): number {
    let end = at;
    while (end < this.#text.length && this.#taints.at(end) !== 'clean') {
      if (this.#taints.at(end) !== this.#quoted) this.unquoted = true;
      end = this.#taints.endAt(end);
    }
    const next = this.#text[end];
    const before = this.#dialect.beforeValue?.test(this.#sql.slice(-40)) === true;
    if (!before || (next !== undefined && !afterValue.test(next))) this.#refuse();
    this.#bindValue(this.#text.slice(at, end), true);
    return end;
  }

  #takeString(at: number, form: StringForm): number {
    const { end, value, isClean } = this.#readString(at, form);
    if (isClean) this.#sql += this.#text.slice(at, end);
    else this.#bindValue(value, false);
    return end;
  }

  /** The string that begins at `start`. Only a clean quote ends it. */
  #readString(start: number, { opening, quote, doubling, escape, between }: StringForm): StringLiteral {
    let value = '';
    let isClean = true;
    for (let at = start + opening; at < this.#text.length; ) {
      const taint = this.#taints.at(at);
      if (taint !== 'clean') isClean = false;
      const isSyntax = taint === 'clean' || taint === this.#quoted;
      if (!isSyntax) this.unquoted = true;
      const character = this.#text[at] ?? '';
      if (isSyntax && character === '\\' && escape !== undefined) {
        const escaped = escape(this.#text, at);
        if (this.#taints.endAt(at) < at + escaped.length && !this.#taints.areClean(at, at + escaped.length)) {
          throw new Refusal(`half of an escape in a query: ${this.#text}`);
        }
        value += escaped.value;
        at += escaped.length;
        continue;
      }
      if (!isSyntax || !this.#text.startsWith(quote, at)) {
        value += character;
        at++;
        continue;
      }
      const behind = at + quote.length;
      const isDoubled = doubling && this.#text.startsWith(quote, behind) && this.#taints.at(behind) === taint;
      if (isDoubled) {
        value += quote;
        at = behind + quote.length;
        continue;
      }
      if (taint !== 'clean') {
        if (!doubling && quote.length > 1) {
          value += character;
          at++;
          continue;
        }
        throw new Refusal(`half of a quoted quote in a query: ${this.#text}`);
      }
      if (!this.#taints.areClean(at, behind)) {
        value += character;
        at++;
        continue;
      }
      const next = this.#continuation(between, behind);
      if (next === undefined) return { end: behind, value, isClean };
      at = next;
    }
    if (!isClean) throw new Refusal(`a string with tainted text has no closing quote in a query: ${this.#text}`);
    return { end: this.#text.length, value, isClean };
  }

  #continuation(between: RegExp | undefined, at: number): number | undefined {
    if (between === undefined) return undefined;
    between.lastIndex = at;
    if (!between.test(this.#text) || !this.#taints.areClean(at, between.lastIndex)) return undefined;
    return between.lastIndex;
  }

  #endStatement(): void {
    const words = this.#sql.replace(this.#dialect.commentsAndBlanks, '');
    if (words !== '' && words !== ';') {
      if (this.#hasOwnParameter && this.#values.length > 0) {
        throw new Refusal(`a query with tainted text may not have parameters of its own: ${this.#text}`);
      }
      const sql = reviewed(decodeUtf8(this.#sql), 'it holds clean pieces and parameters alone');
      const reads = this.#dialect.reading.test(words);
      const leavesNothing = reads || changingRows.test(words);
      this.#statements.push({ sql, values: this.#values, parameters: this.#parameters, reads, leavesNothing });
    }
    this.#sql = '';
    this.#values = [];
    this.#parameters = [];
    this.#hasOwnParameter = false;
  }
}

/** The statements of a query, with what came from outside as values. */
export function bindSql(query: Text, dialect: SqlDialect): SqlQuery | { readonly error: string } {
  if (query.value.length > longestQuery) return { error: 'a query is longer than 1 MB' };
  const binder = new Binder(query, dialect);
  try {
    const statements = binder.bind();
    return { statements, unquoted: binder.unquoted };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.message };
    throw error;
  }
}
