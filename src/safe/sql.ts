/**
 * The one door to SQLite. A statement is `Clean`: it stands in the program text or was proven by its pieces; values go
 * beside it as parameters and are never part of it.
 */

import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import type { Clean } from './taint.ts';

export type SqlRow = Readonly<Record<string, SQLOutputValue>>;

export class SqlFile {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file, or makes it. `busyTimeout` in milliseconds is how long a lock of another process is waited for. */
  constructor(path: Clean, busyTimeout: number) {
    this.#database = new DatabaseSync(path, { timeout: busyTimeout });
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

  close(): void {
    this.#database.close();
  }
}
