/**
 * A connection to a PostgreSQL server. What it answers is text as the server writes it; time and size of an answer are
 * bounded. Over the network TLS is used when the server has it, as libpq does by itself.
 */

import type { EventEmitter } from 'node:events';
import type { Client, ClientConfig, QueryResult } from 'pg';
import { LibrarySocket } from '../net/library-socket.ts';
import type { BoundSql } from '../safe/sql-query.ts';
import { loadPg } from './library.ts';
import type { PgsqlPlace } from './pgsql-place.ts';
import type { PooledConnection } from './server-pool.ts';

/** Milliseconds. */
const connectTime = 15_000;
const queryTime = 60_000;

/** The last result of a query. */
export interface PgsqlResult {
  /** The rows; nothing when the last statement was one that answers none. */
  readonly rows: readonly (readonly (string | null)[])[] | undefined;
  readonly columns: readonly string[];
  readonly command: string;
  /** Rows that a statement without rows touched. */
  readonly count: number | undefined;
}

/** Values are taken as the server writes them. */
const asWritten = { getTypeParser: () => (value: string) => value };

type Results = QueryResult<(string | null)[]> | QueryResult<(string | null)[]>[];

export class PgsqlConnection implements PooledConnection {
  readonly #client: Client;
  readonly #socket: LibrarySocket;
  #isUsable = true;
  /** Whether a backslash in a string is one like any other. */
  standardStrings = true;

  private constructor(client: Client, socket: LibrarySocket) {
    this.#client = client;
    this.#socket = socket;
    const broken = (): void => {
      this.#isUsable = false;
    };
    client.on('error', broken);
    client.on('end', broken);
    // the library tells parameters of the session only here
    const { connection } = client as unknown as { readonly connection: EventEmitter };
    connection.on('parameterStatus', (status: { parameterName?: string; parameterValue?: string }) => {
      if (status.parameterName === 'standard_conforming_strings')
        this.standardStrings = status.parameterValue !== 'off';
    });
  }

  /** @throws the library's error when the server cannot be reached or does not want us */
  static async open(place: PgsqlPlace, withTls: boolean): Promise<PgsqlConnection> {
    const socket = new LibrarySocket();
    const config: ClientConfig = {
      ...place,
      ssl: withTls ? { rejectUnauthorized: false } : false,
      connectionTimeoutMillis: connectTime,
      keepAlive: !place.host.startsWith('/'),
      types: asWritten,
      stream: () => socket.socket,
    };
    const client = new (loadPg().Client)(config);
    const connection = new PgsqlConnection(client, socket);
    try {
      await client.connect();
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  hold(holds: boolean): void {
    this.#socket.hold(holds);
  }

  close(): void {
    this.#isUsable = false;
    this.#socket.close();
  }

  /** Runs the statements, all or none. @throws the library's error */
  async run(statements: readonly BoundSql[]): Promise<PgsqlResult> {
    return resultOf(await this.#socket.bounded(queryTime, () => this.#runAll(statements)));
  }

  async #runAll(statements: readonly BoundSql[]): Promise<Results> {
    // without parameters the server takes all at once, as one transaction
    if (statements.every(({ values }) => values.length === 0)) {
      return this.#query(statements.map(({ sql }) => sql).join(''), []);
    }
    const [only, ...others] = statements;
    if (only !== undefined && others.length === 0) return this.#query(only.sql, only.values);
    let results: Results = [];
    await this.#client.query('BEGIN');
    try {
      for (const { sql, values } of statements) results = await this.#query(sql, values);
      await this.#client.query('COMMIT');
    } catch (error) {
      await this.#client.query('ROLLBACK').catch(() => this.close());
      throw error;
    }
    return results;
  }

  async #query(text: string, values: readonly string[]): Promise<Results> {
    return this.#client.query<(string | null)[]>({ text, values: [...values], rowMode: 'array' });
  }
}

/** Statements that answer rows, though there may be none and no column. */
const commandsWithRows: ReadonlySet<string> = new Set(['SELECT', 'SHOW', 'EXPLAIN', 'FETCH', 'VALUES']);

function resultOf(results: Results): PgsqlResult {
  const last = Array.isArray(results) ? results.at(-1) : results;
  const command = last?.command ?? '';
  const columns = last?.fields.map(({ name }) => name) ?? [];
  const hasRows = columns.length > 0 || commandsWithRows.has(command);
  return { rows: hasRows ? last?.rows : undefined, columns, command, count: last?.rowCount ?? undefined };
}
