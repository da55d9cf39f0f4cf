/**
 * SQL statements for PostgreSQL servers. Pieces of a query that came from outside are
 * never part of a statement (`safe/pgsql-query.ts`). A server that is away, or a statement that fails, defers: mail waits
 * and is not refused.
 */

import { isUtf8 } from 'node:buffer';
import type { Context } from '../expand/context.ts';
import { bindPgsql } from '../safe/pgsql-query.ts';
import type { BoundSql } from '../safe/sql-query.ts';
import type { Clean, Text } from '../safe/taint.ts';
import { type Database, type Found, type LookupOptions, LookupProblem, notFound } from './lookup.ts';
import { PgsqlConnection, type PgsqlResult } from './pgsql-connection.ts';
import { connectionFailure, type PgsqlPlace, pgsqlPlace } from './pgsql-place.ts';
import { askInTurn, type DatabaseNames, type ServerAnswer, ServerOrder, serversFor } from './server-list.ts';
import { ServerPools, Unreachable } from './server-pools.ts';
import { sqlRowText } from './sql-text.ts';
import type { Surroundings } from './surroundings.ts';
import { UnquotedComplaints } from './unquoted.ts';

const names: DatabaseNames = { product: 'PostgreSQL', option: 'pgsql_servers' };

/** Octets of an answer. */
const longest = 16 * 1024 * 1024;

/** What the server says is wrong: it has taken the question. Anything else is a broken connection. */
interface ServerError extends Error {
  readonly severity: string;
  readonly code: string;
  readonly position?: string;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

/** The server ends the connection, because it ends itself or is not ready. */
const isLost = (error: unknown): boolean => !isServerError(error) || error.severity !== 'ERROR';

/** The servers, and what is open of them. */
export class PgsqlDatabase implements Database {
  readonly #servers = new ServerPools(pgsqlPlace, opener);
  readonly #order = new ServerOrder();
  readonly #complaints = new UnquotedComplaints();
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  async find(text: Text, options: LookupOptions, context: Context): Promise<Found> {
    const found = serversFor(text, options, this.#surroundings.main.pgsql_servers, names);
    if ('error' in found) return { outcome: 'defer', message: found.error };
    const { servers, query } = found;
    const bound = bindPgsql(query, true);
    if ('error' in bound) throw new LookupProblem(bound.error);
    if (bound.unquoted) this.#complaints.complain(query, context);
    if (!isUtf8(Buffer.from(query.value, 'latin1'))) {
      return failed('ERROR:  invalid byte sequence for encoding "UTF8"\n', query.value);
    }
    return askInTurn(servers, this.#order, (server) => this.#ask(server, query, bound.statements));
  }

  close(): void {
    this.#servers.close();
  }

  #ask(item: Clean, query: Text, statements: readonly BoundSql[]): Promise<ServerAnswer> {
    const reads = statements.every((statement) => statement.reads);
    const work = async (connection: PgsqlConnection): Promise<Found> => {
      const bound = connection.standardStrings ? { statements } : bindPgsql(query, false);
      if ('error' in bound) throw new LookupProblem(bound.error);
      try {
        return answerOf(await connection.run(bound.statements), reads, query.value);
      } finally {
        // what a statement leaves in the session is not for whoever asks next
        if (!bound.statements.every(({ leavesNothing }) => leavesNothing)) connection.close();
      }
    };
    return this.#servers.ask(item, work, {
      repeats: (error) => reads && isLost(error),
      answer: (error) => ({ ...failed(reasonOf(error, statements), query.value), unreachable: isLost(error) }),
    });
  }
}

/** Opens connections, the first with TLS, and all others as the first came about. */
function opener(place: PgsqlPlace): () => Promise<PgsqlConnection> {
  let withTls = !place.host.startsWith('/');
  return async () => {
    try {
      if (withTls) {
        try {
          return await PgsqlConnection.open(place, true);
        } catch (error) {
          const hasNone = error instanceof Error && error.message === 'The server does not support SSL connections';
          if (!hasNone && !(isServerError(error) && error.code === '28000')) throw error;
        }
      }
      const connection = await PgsqlConnection.open(place, false);
      withTls = false;
      return connection;
    } catch (error) {
      throw new Unreachable(connectionFailure(place, error));
    }
  };
}

function answerOf({ rows, columns, command, count }: PgsqlResult, reads: boolean, query: string): Found {
  if (rows === undefined) {
    if (command === 'COPY') return { outcome: 'defer', message: `PGSQL: query failed:  (PGRES_COPY_OUT) (${query})\n` };
    return count === undefined ? notFound : { outcome: 'found', value: String(count), changed: true };
  }
  if (rows.length === 0) return notFound;
  let length = 0;
  const texts = rows.map((row) => {
    const text = sqlRowText(
      columns,
      row.map((value) => (value === null ? '' : Buffer.from(value, 'utf8').toString('latin1'))),
    );
    length += text.length + 1;
    if (length > longest) throw new LookupProblem('the answer to a pgsql query is longer than 16 MB');
    return text;
  });
  return { outcome: 'found', value: texts.join('\n'), changed: !reads };
}

function failed(reason: string, query: string): Found & { readonly outcome: 'defer' } {
  return { outcome: 'defer', message: `PGSQL: query failed: ${reason} (PGRES_FATAL_ERROR) (${query})\n` };
}

/** As libpq writes it, with the place of a mistake in a short query. */
function reasonOf(error: unknown, statements: readonly BoundSql[]): string {
  if (!isServerError(error)) return error instanceof Error ? error.message : String(error);
  const text = `${error.severity}:  ${Buffer.from(error.message, 'utf8').toString('latin1')}\n`;
  const [query = ''] = statements.length === 1 ? statements.map(({ sql }) => sql) : [];
  if (error.position === undefined || query === '' || query.length > 60 || /[\n\t]/.test(query)) return text;
  return `${text}LINE 1: ${query}\n${' '.repeat(Number(error.position) + 7)}^\n`;
}
