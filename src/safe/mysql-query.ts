/**
 * Queries for MySQL and MariaDB of which some pieces came from outside: their rules for what `sql-query.ts` proves. A
 * value is written as a hexadecimal constant: whatever the server takes it for, it holds digits and the letters A to F
 * alone.
 */

import { bindSql, type SqlDialect, type SqlQuery, type StringForm } from './sql-query.ts';
import type { Text } from './taint.ts';

const letters: Readonly<Record<string, string>> = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };

/** What a backslash and the octet behind it stand for; before wildcards it stays. */
function escape(text: string, at: number): { readonly value: string; readonly length: number } {
  const next = text[at + 1] ?? '';
  return { value: next === '%' || next === '_' ? `\\${next}` : (letters[next] ?? next), length: 2 };
}

const single: StringForm = { opening: 1, quote: "'", doubling: true, escape, between: /[ \t\n\r\f\v]+'/y };
const double: StringForm = { opening: 1, quote: '"', doubling: true, escape, between: /[ \t\n\r\f\v]+"/y };

const shortNumber = /^\d{1,18}$/;

function constant(value: string): string {
  return ` _utf8mb4 X'${Buffer.from(value, 'latin1').toString('hex')}'`;
}

const dialect: SqlDialect = {
  driver: 'mysql',
  stringAt(text, at) {
    const first = text[at];
    return first === "'" ? single : first === '"' ? double : undefined;
  },
  tokens: [
    /--(?=[\x00-\x20]|$)[^\n]*/y,
    /#[^\n]*/y,
    /\/\*.*?(?:\*\/|$)/sy,
    /[xXbBnN]'[^']*'?/y,
    /`[^`]*(?:``[^`]*)*`?/y,
    /[A-Za-z_$@\x80-\xff][\w$@\x80-\xff]*/y,
    /\d[\w.]*/y,
  ],
  commentsAndBlanks: /^(?:[ \t\n\f\r\v]+|--[^\n]*|#[^\n]*|\/\*.*?(?:\*\/|$))*/s,
  reading: /^(?:select|values|explain|show|describe|desc)\b(?!.*\b(?:into|get_lock|for[ \t\n]+update)\b)/is,
  parameters: () => (_number, value, isBare) => (isBare && shortNumber.test(value) ? ` ${value}` : constant(value)),
  beforeValue: /(?:[=<>(,]|\b(?:like|limit|offset|between|and|then|else|when|select)[ \t\n\r])[ \t\n\r]*$/i,
};

/** The query with what came from outside as constants. */
export function bindMysql(query: Text): SqlQuery | { readonly error: string } {
  return bindSql(query, dialect);
}
