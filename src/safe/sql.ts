/**
 * The one door to SQLite. A statement is `Clean`: it stands in the program text or was proven by its pieces; values go
 * beside it as parameters and are never part of it.
 */

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { systemName } from './files.ts';
import type { Clean } from './taint.ts';

export type SqlValue = SQLOutputValue;

export type SqlRow = Readonly<Record<string, SQLOutputValue>>;

/** The rows of a statement, with the names of their columns; one after the other. */
export interface SqlRows {
  readonly columns: readonly string[];
  /** Integers as `bigint`, reals as `number`. */
  readonly rows: Iterable<readonly SqlValue[]>;
}

/** SQLite's own number for an error (its low eight bits), nothing for any other error. */
export function sqlErrorNumber(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

export class SqlFile {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens the file, or makes it unless it is only read. `busyTimeout` in milliseconds is how long a lock of another
   * process is waited for; nothing else happens meanwhile.
   */
  constructor(path: Clean, busyTimeout: number, readOnly = false) {
    // most runs of the program need no SQLite
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    this.#database = new DatabaseSync(systemName(path), {
      timeout: busyTimeout,
      readOnly,
      enableDoubleQuotedStringLiterals: true,
    });
  }

  #prepare(sql: Clean): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Statements without values or answer. */
  execute(sql: Clean): void {
    this.#database.exec(sql);
  }

  run(sql: Clean, ...values: readonly SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }

  first(sql: Clean, ...values: readonly SQLInputValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: Clean, ...values: readonly SQLInputValue[]): Iterable<SqlRow> {
    return this.#prepare(sql).iterate(...values) as Iterable<SqlRow>;
  }

  /** Runs a statement that is needed once; `values` are by the names of its parameters. */
  rows(sql: Clean, values: Readonly<Record<string, string>>): SqlRows {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name }) => name);
    return { columns, rows: statement.iterate(values) as unknown as Iterable<readonly SqlValue[]> };
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Leaves a transaction that was begun and not ended. */
  leaveTransaction(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  close(): void {
    this.#database.close();
  }
}
