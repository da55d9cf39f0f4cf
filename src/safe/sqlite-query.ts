/** Queries for SQLite of which some pieces came from outside: SQLite's own rules for what `sql-query.ts` proves. */

import { bindSql, type SqlDialect } from './sql-query.ts';
import type { Clean, Text } from './taint.ts';

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

const quotes = { opening: 1, quote: "'", doubling: true } as const;

function named(query: string): (number: number) => string {
  let prefix = ':piece';
  while (query.includes(prefix)) prefix += '_';
  return (number) => `${prefix}${number}`;
}

const sqliteDialect: SqlDialect = {
  driver: 'sqlite',
  stringAt: (text, at) => (text[at] === "'" ? quotes : undefined),
  tokens: [
    /--[^\n]*/y,
    /\/\*.*?(?:\*\/|$)/sy,
    /[xX]'[^']*'?/y,
    /"[^"]*(?:""[^"]*)*"?/y,
    /`[^`]*(?:``[^`]*)*`?/y,
    /\[[^\]]*\]?/y,
    /[A-Za-z_$\x80-\xff][\w$\x80-\xff]*/y,
  ],
  commentsAndBlanks: /^(?:[ \t\n\f\r]+|--[^\n]*(?:\n|$)|\/\*.*?(?:\*\/|$))*/s,
  reading: /^(?:select|values|explain|with|pragma)\b/i,
  parameters: named,
};

/** The statements of a query, with what came from outside as values. */
export function bindSqlite(query: Text): BoundQuery {
  const bound = bindSql(query, sqliteDialect);
  if ('error' in bound) return bound;
  const statements = bound.statements.map(({ sql, values, parameters, reads }) => ({
    sql,
    values: Object.fromEntries(parameters.map((parameter, index) => [parameter, values[index] ?? ''])),
    reads,
  }));
  return { statements, unquoted: bound.unquoted };
}
