/** A connection to a MySQL or MariaDB server. What it answers is octets; time and size of an answer are bounded. */

import type { Connection, FieldPacket, QueryResult } from 'mysql2/promise';
import { errorCode, errorNumber } from '../lib/errno.ts';
import { connectLibrary, type LibrarySocket } from '../net/library-socket.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import { loadMysql } from './library.ts';
import { serverFields, withoutPassword } from './server-list.ts';
import type { PooledConnection } from './server-pool.ts';

/** Milliseconds. */
const connectTime = 15_000;
const queryTime = 60_000;

export interface MysqlPlace {
  readonly where: { readonly path: Clean } | { readonly host: string; readonly port: number };
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

const standardSocket = '/run/mysqld/mysqld.sock';
const standardPort = 3306;
/** `host:port(socket)[group]`; the group of an option file is not read. */
const hostForm = /^([^:([]*)(?::([^([]*))?(?:\(([^)]*)\))?(?:\[[^\]]*\])?$/;

/** The place that an item of mysql_servers names (Exim spec 9.24), or what is wrong with it. */
export function mysqlPlace(item: Clean): MysqlPlace | { readonly error: string } {
  const fields = serverFields(item);
  const [all, host = '', port, path] = (fields && hostForm.exec(fields.host)) ?? [];
  if (fields === undefined || all === undefined) {
    return { error: `incomplete MySQL server data: ${withoutPassword(item)}` };
  }
  const { database, user, password } = fields;
  const isLocal = path !== undefined || host === '' || host === 'localhost';
  const where = isLocal
    ? { path: reviewed(path ?? standardSocket, 'part of a clean item') }
    : { host, port: port === undefined ? standardPort : Number(/^\d{1,5}$/.exec(port)?.[0] ?? 0) };
  return { where, database, user, password };
}

/** Why there is no connection, in the words of the client library that Exim uses. */
export function connectionFailure({ where }: MysqlPlace, error: unknown): string {
  const said = serverMessage(error);
  if (said !== undefined) return `MYSQL connection failed: ${said}`;
  const number = errorNumber(error);
  if ('path' in where) {
    return `MYSQL connection failed: Can't connect to local server through socket '${where.path}' (${number})`;
  }
  const isUnknown = errorCode(error) === 'ENOTFOUND' || errorCode(error) === 'EAI_AGAIN';
  if (isUnknown) return `MYSQL connection failed: Unknown server host '${where.host}' (-2)`;
  return `MYSQL connection failed: Can't connect to server on '${where.host}' (${number})`;
}

/** What the server itself says is wrong; nothing when the connection broke. */
export function serverMessage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('sqlMessage' in error) || typeof error.sqlMessage !== 'string') return undefined;
  return Buffer.from(error.sqlMessage, 'utf8').toString('latin1');
}

/** Rows of octets with the names of their columns, or how many rows a statement touched. */
export type MysqlResult =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly (Buffer | null)[])[] }
  | { readonly count: number };

export class MysqlConnection implements PooledConnection {
  readonly #connection: Connection;
  readonly #socket: LibrarySocket;
  #isUsable = true;

  private constructor(connection: Connection, socket: LibrarySocket) {
    this.#connection = connection;
    this.#socket = socket;
    const broken = (): void => {
      this.#isUsable = false;
    };
    connection.on('error', broken);
    socket.socket.on('close', broken);
  }

  /** @throws the library's or the system's error */
  static async open({ where, database, user, password }: MysqlPlace): Promise<MysqlConnection> {
    const socket = connectLibrary(where);
    try {
      const connection = await socket.bounded(connectTime, () =>
        loadMysql().createConnection({
          stream: socket.socket,
          user,
          password,
          ...(database === '' ? {} : { database }),
          charset: 'utf8mb4',
          // a row that is set to the value it has does not count, as in Exim
          flags: ['-FOUND_ROWS'],
          rowsAsArray: true,
          typeCast: (field) => field.buffer(),
        }),
      );
      return new MysqlConnection(connection, socket);
    } catch (error) {
      socket.close();
      throw error;
    }
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

  /** @throws the library's error */
  async run(sql: Clean): Promise<MysqlResult> {
    const [result, fields] = await this.#socket.bounded(queryTime, () => this.#connection.query<QueryResult>(sql));
    return resultOf(result, fields);
  }
}

function resultOf(result: QueryResult, fields: FieldPacket[] | undefined): MysqlResult {
  if (!Array.isArray(result)) return { count: result.affectedRows };
  const columns = (fields ?? []).map(({ name }) => name);
  return { columns, rows: result as unknown as (Buffer | null)[][] };
}
