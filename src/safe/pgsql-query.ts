/** Queries for PostgreSQL of which some pieces came from outside: PostgreSQL's rules for what `sql-query.ts` proves. */

import { bindSql, type SqlDialect, type SqlQuery, type StringForm } from './sql-query.ts';
import type { Text } from './taint.ts';

/** Strings with a line end between them are one. */
const between = /[ \t\f\v]*[\n\r][ \t\n\r\f\v]*'/y;
const standard: StringForm = { opening: 1, quote: "'", doubling: true, between };

const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const coded = /\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/y;

/** What a backslash and the octets behind it stand for in `E'…'`. */
function escape(text: string, at: number): { readonly value: string; readonly length: number } {
  coded.lastIndex = at;
  const [all, octal, hex, short, long] = coded.exec(text) ?? [];
  if (all === undefined) {
    const next = text[at + 1] ?? '';
    return { value: letters[next] ?? next, length: 2 };
  }
  if (octal !== undefined) return { value: String.fromCharCode(Number.parseInt(octal, 8) & 0xff), length: all.length };
  if (hex !== undefined) return { value: String.fromCharCode(Number.parseInt(hex, 16)), length: all.length };
  const point = Number.parseInt(short ?? long ?? '', 16);
  const character = point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  return { value: Buffer.from(character, 'utf8').toString('latin1'), length: all.length };
}

const escaped: StringForm = { opening: 2, quote: "'", doubling: true, escape, between };
const escapedByDefault: StringForm = { ...escaped, opening: 1 };

const dollarQuote = /\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/y;

function dollarForm(text: string, at: number): StringForm | undefined {
  dollarQuote.lastIndex = at;
  const quote = dollarQuote.exec(text)?.[0];
  return quote === undefined ? undefined : { opening: quote.length, quote, doubling: false };
}

const commentMark = /\/\*|\*\//g;

/** The end of a comment, in which there may be others. */
function commentEnd(text: string, at: number): number {
  if (!text.startsWith('/*', at)) return at;
  let depth = 0;
  commentMark.lastIndex = at;
  for (;;) {
    const mark = commentMark.exec(text);
    if (mark === null) return text.length;
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return commentMark.lastIndex;
  }
}

function dialect(standardStrings: boolean): SqlDialect {
  const plain = standardStrings ? standard : escapedByDefault;
  return {
    driver: 'pgsql',
    stringAt(text, at) {
      const first = text[at];
      if (first === "'") return plain;
      if ((first === 'E' || first === 'e') && text[at + 1] === "'") return escaped;
      return first === '$' ? dollarForm(text, at) : undefined;
    },
    tokens: [
      /--[^\n\r]*/y,
      commentEnd,
      /(?:[xXbBnN]|[uU]&)'[^']*(?:''[^']*)*'?/y,
      /(?:[uU]&)?"[^"]*(?:""[^"]*)*"?/y,
      /[A-Za-z_\x80-\xff][\w$\x80-\xff]*/y,
      /\$\d+/y,
      /\d[\w.]*/y,
    ],
    commentsAndBlanks: /^(?:[ \t\n\f\r\v]+|--[^\n\r]*|\/\*.*?(?:\*\/|$))*/s,
    reading: /^(?:select|values|explain|show|table)\b(?!.*\b(?:nextval|setval|for[ \t\n]+update)\b)/is,
    parameters: () => (number) => ` $${number}`,
    ownParameter: /^\$\d+$/,
    beforeValue: /(?:[=<>(,]|\b(?:i?like|limit|offset|between|and|then|else|when|select)[ \t\n\r])[ \t\n\r]*$/i,
  };
}

const withStandardStrings = dialect(true);
const withBackslashes = dialect(false);

/** The statements of a query. `standardStrings`: a backslash is one like any other (standard_conforming_strings). */
export function bindPgsql(query: Text, standardStrings: boolean): SqlQuery | { readonly error: string } {
  return bindSql(query, standardStrings ? withStandardStrings : withBackslashes);
}
