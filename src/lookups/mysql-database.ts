/**
 * SQL statements for MySQL and MariaDB servers. Pieces of a query that came from outside
 * are never part of a statement (`safe/mysql-query.ts`). A server that is away, or a statement that fails, defers.
 */

import type { Context } from '../expand/context.ts';
import { bindMysql } from '../safe/mysql-query.ts';
import { type Clean, reviewed, type Text } from '../safe/taint.ts';
import { type Database, type Found, type LookupOptions, LookupProblem, notFound } from './lookup.ts';
import {
  connectionFailure,
  MysqlConnection,
  type MysqlPlace,
  type MysqlResult,
  mysqlPlace,
  serverMessage,
} from './mysql-connection.ts';
import { askInTurn, type DatabaseNames, type ServerAnswer, ServerOrder, serversFor } from './server-list.ts';
import { ServerPools, Unreachable } from './server-pools.ts';
import { sqlRowText } from './sql-text.ts';
import { untilZero } from './stored-text.ts';
import type { Surroundings } from './surroundings.ts';
import { UnquotedComplaints } from './unquoted.ts';

const names: DatabaseNames = { product: 'MySQL', option: 'mysql_servers' };

/** Octets of an answer. */
const longest = 16 * 1024 * 1024;

/** How a question is asked. */
interface Manner {
  /** It changes nothing, and may be asked again. */
  readonly reads: boolean;
  /** It leaves something in the session that is not for whoever asks next. */
  readonly once: boolean;
}

function opener(place: MysqlPlace): () => Promise<MysqlConnection> {
  return async () => {
    try {
      return await MysqlConnection.open(place);
    } catch (error) {
      throw new Unreachable(connectionFailure(place, error));
    }
  };
}

/** The servers, and what is open of them. */
export class MysqlDatabase implements Database {
  readonly #servers = new ServerPools(mysqlPlace, opener);
  readonly #order = new ServerOrder();
  readonly #complaints = new UnquotedComplaints();
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  async find(text: Text, options: LookupOptions, context: Context): Promise<Found> {
    const found = serversFor(text, options, this.#surroundings.main.mysql_servers, names);
    if ('error' in found) return { outcome: 'defer', message: found.error };
    const bound = bindMysql(found.query);
    if ('error' in bound) throw new LookupProblem(bound.error);
    if (bound.unquoted) this.#complaints.complain(found.query, context);
    if (found.query.value === '') return notFound;
    // the server takes one statement at a time, and says so itself
    const sql = reviewed(
      bound.statements.map((one) => one.sql).join('') || ';',
      'bound statements, one after the other',
    );
    const reads = bound.statements.every((statement) => statement.reads);
    const once = bound.statements.some(({ leavesNothing }) => !leavesNothing);
    return askInTurn(found.servers, this.#order, (server) => this.#ask(server, sql, { reads, once }));
  }

  close(): void {
    this.#servers.close();
  }

  #ask(item: Clean, sql: Clean, { reads, once }: Manner): Promise<ServerAnswer> {
    const work = async (connection: MysqlConnection): Promise<Found> => {
      try {
        return answerOf(await connection.run(sql), reads);
      } finally {
        if (once) connection.close();
      }
    };
    return this.#servers.ask(item, work, {
      repeats: (error) => reads && serverMessage(error) === undefined,
      answer(error) {
        const said = serverMessage(error);
        const reason = said ?? (error instanceof Error ? error.message : String(error));
        return { outcome: 'defer', message: `MYSQL: query failed: ${reason}\n`, unreachable: said === undefined };
      },
    });
  }
}

function answerOf(result: MysqlResult, reads: boolean): Found {
  if ('count' in result) return { outcome: 'found', value: String(result.count), changed: true };
  const { columns, rows } = result;
  const parts: string[] = [];
  let length = 0;
  for (const row of rows) {
    const [only] = row;
    if (parts.length > 0) parts.push('\n');
    // a null alone is nothing
    if (columns.length === 1 && (only === null || only === undefined)) continue;
    const values = row.map((value) => (value === null ? '' : untilZero(value.toString('latin1'))));
    const text = sqlRowText(columns, values);
    parts.push(text);
    length += text.length + 1;
    if (length > longest) throw new LookupProblem('the answer to a mysql query is longer than 16 MB');
  }
  return parts.length === 0 ? notFound : { outcome: 'found', value: parts.join(''), changed: !reads };
}
