/**
 * Hints: small databases beside the queue that make work faster or fairer and may be lost at any time (Exim spec 32, 44).
 * Each is one SQLite file in `db/` of the spool, with a lock file as Exim has it. A file that is gone or broken is made
 * anew; a hint that cannot be read or written never stops mail.
 */

import * as clock from '../lib/clock.ts';
import * as files from '../safe/files.ts';
import { SqlFile, type SqlRow } from '../safe/sql.ts';
import { type Clean, concat, literal, pathOf } from '../safe/taint.ts';

const busyTimeout = 5000;
const fileMode = 0o640;

const makeTable = literal(
  'CREATE TABLE IF NOT EXISTS hints (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires INTEGER) WITHOUT ROWID',
);
const makeIndex = literal('CREATE INDEX IF NOT EXISTS expiry ON hints (expires)');
const select = literal('SELECT value FROM hints WHERE key = ? AND (expires IS NULL OR expires > ?)');
const insert = literal('INSERT OR REPLACE INTO hints (key, value, expires) VALUES (?, ?, ?)');
const begin = literal('BEGIN IMMEDIATE');
const commit = literal('COMMIT');
const removeExpired = literal('DELETE FROM hints WHERE expires <= ?');
/** Those that would be forgotten soonest, beyond the number that is kept. */
const removeExcess = literal(
  'DELETE FROM hints WHERE key IN (SELECT key FROM hints WHERE expires IS NOT NULL ORDER BY expires DESC LIMIT -1 OFFSET ?)',
);
const remove = literal('DELETE FROM hints WHERE key = ?');
const lastBetween = literal('SELECT key FROM hints WHERE key > ? AND key < ? ORDER BY key DESC LIMIT 1');
const takeLastBetween = literal(
  'DELETE FROM hints WHERE key = (SELECT key FROM hints WHERE key > ? AND key < ? ORDER BY key DESC LIMIT 1) RETURNING key',
);
const everything = literal('SELECT key, value, expires FROM hints ORDER BY key');
const removeBetween = literal('DELETE FROM hints WHERE key > ? AND key < ?');
/** What is written may be lost in a crash: no journal on the disk, no wait for it. */
const careless = literal('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');

/** After so many new hints those that have expired are removed. */
const tidyAfter = 1000;
/** Hints with a time to expire that one file holds at most, about. */
const mostExpiring = 500_000;

export interface HintsOwner {
  readonly uid: number;
  readonly gid: number;
}

export class HintsFile {
  readonly #path: Clean;
  /** The file that Exim's own programs lock before they touch hints of this name. */
  readonly #lockFile: Clean;
  readonly #directory: Clean;
  readonly #owner: HintsOwner | undefined;
  readonly #complain: (error: unknown) => void;
  #writesUntilTidy = 1;
  #open: { readonly database: SqlFile; readonly inode: number } | undefined;

  /** `name` is that of the file in `db/`; `complain` hears of trouble. */
  constructor(spool: Clean, name: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void) {
    this.#directory = pathOf(spool, literal('db'));
    // a name that a database of Exim's own never has
    this.#path = pathOf(this.#directory, concat(name, literal('.sqlite')));
    this.#lockFile = pathOf(this.#directory, concat(name, literal('.lockfile')));
    this.#owner = owner;
    this.#complain = complain;
  }

  /** The database, opened again when the file was replaced; nothing when it is not there and not wanted. */
  #database(make: boolean): SqlFile | undefined {
    const found = files.stat(this.#path);
    if (this.#open !== undefined) {
      if (found?.ino === this.#open.inode) return this.#open.database;
      this.close();
    }
    if (found === undefined && !make) return undefined;
    if (found === undefined) this.#prepare();
    const database = new SqlFile(this.#path, busyTimeout);
    database.execute(careless);
    database.execute(makeTable);
    database.execute(makeIndex);
    this.#open = { database, inode: files.stat(this.#path)?.ino ?? 0 };
    return database;
  }

  /** Makes the directory and the files, with the owner they are to have. */
  #prepare(): void {
    if (files.makeDirectories(this.#directory, 0o750)) this.#own(this.#directory);
    for (const path of [this.#path, this.#lockFile]) {
      if (files.stat(path) !== undefined) continue;
      files.close(files.open(path, files.createOrOpen, fileMode));
      this.#own(path);
    }
  }

  #own(path: Clean): void {
    if (this.#owner !== undefined) files.setOwner(path, this.#owner.uid, this.#owner.gid);
  }

  /** Does `work`; a broken file is thrown away, and what was asked of it counts as not there. */
  #careful<T>(make: boolean, work: (database: SqlFile) => T): T | undefined {
    try {
      const database = this.#database(make);
      return database === undefined ? undefined : work(database);
    } catch (error) {
      this.#complain(error);
      this.close();
      // broken, or of an earlier layout
      if (/malformed|not a database|no column|no such column/.test(String(error))) files.removeIfPossible(this.#path);
      return undefined;
    }
  }

  get(key: string): string | undefined {
    const row = this.#careful(false, (database) => database.first(select, key, clock.seconds()));
    return row === undefined ? undefined : textOf(row, 'value');
  }

  /** `expires`, in seconds since 1970, is when the hint may be forgotten; without it, it stays until it is deleted. */
  set(key: string, value: string, expires?: number): void {
    this.#careful(true, (database) => {
      database.run(insert, key, value, expires === undefined ? null : Math.ceil(expires));
      if (expires !== undefined && --this.#writesUntilTidy <= 0) {
        this.#writesUntilTidy = tidyAfter;
        database.run(removeExpired, clock.seconds());
        database.run(removeExcess, mostExpiring);
      }
    });
  }

  /** Does `work` without any other process reading or writing hints of this file meanwhile. */
  alone<T>(work: () => T): T {
    this.#careful(true, (database) => database.execute(begin));
    try {
      return work();
    } finally {
      this.#careful(false, (database) => (database.inTransaction ? database.execute(commit) : undefined));
    }
  }

  delete(key: string): void {
    this.#careful(false, (database) => database.run(remove, key));
  }

  /** The greatest key between these two. */
  lastKey(above: string, below: string): string | undefined {
    return this.#key(lastBetween, above, below);
  }

  /** The same, and deletes that hint: of several processes, one has it. */
  takeLastKey(above: string, below: string): string | undefined {
    return this.#key(takeLastBetween, above, below);
  }

  #key(sql: Clean, above: string, below: string): string | undefined {
    const row = this.#careful(false, (database) => database.first(sql, above, below));
    return row === undefined ? undefined : textOf(row, 'key');
  }

  /** All hints between two keys. */
  deleteBetween(above: string, below: string): void {
    this.#careful(false, (database) => database.run(removeBetween, above, below));
  }

  /** All hints with when they expire, sorted by key; memory does not grow with their number. */
  *entries(): Generator<readonly [key: string, value: string, expires: number | undefined]> {
    const rows = this.#careful(false, (database) => database.all(everything));
    for (const row of rows ?? []) {
      const { expires } = row;
      yield [textOf(row, 'key'), textOf(row, 'value'), typeof expires === 'number' ? expires : undefined];
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    try {
      open?.database.close();
    } catch (error) {
      this.#complain(error);
    }
  }
}

function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}
