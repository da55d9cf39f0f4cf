/**
 * `sqlite`: SQL statements for an SQLite file (Exim spec 9.21, 9.26). A file is opened for reading when the query reads.
 * Pieces of a query that came from outside are never part of a statement (`safe/sqlite-query.ts`).
 *
 * As in Exim a statement that SQLite does not take, or that a constraint forbids, finds nothing; the log has the reason.
 * Where Exim says so of a file that is locked or broken, too, the query is deferred here, so that no mail is bounced.
 * SQLite works in this process: while a statement runs nothing else does, but other work goes on while a lock is waited
 * for.
 */

import { setTimeout } from 'node:timers/promises';
import type { Context } from '../expand/context.ts';
import { elapsed } from '../lib/clock.ts';
import { type Eventual, lastly, then } from '../lib/eventual.ts';
import { Cache } from '../lib/lru.ts';
import * as files from '../safe/files.ts';
import { SqlFile, sqlErrorNumber } from '../safe/sql.ts';
import { type BoundStatement, bindSqlite } from '../safe/sqlite-query.ts';
import { type Clean, clean, reviewed, Text } from '../safe/taint.ts';
import { type Database, defineLookup, type Found, type LookupOptions, LookupProblem, notFound } from './lookup.ts';
import { sqlRowText, sqlValueText } from './sql-text.ts';
import type { Surroundings } from './surroundings.ts';
import { UnquotedComplaints } from './unquoted.ts';

const filesKept = 10;
/** Octets of an answer. */
const longest = 16 * 1024 * 1024;
/** Milliseconds between two tries to get a lock. */
const firstPause = 2;
const longestPause = 100;

const locked: ReadonlySet<number | undefined> = new Set([5, 6]);
const cannotWrite = 8;
const cannotOpen = 14;
/** What is said of the statement and not of the file: a mistake in it, no right to write, a constraint, a wrong type. */
const faultsOfStatement: ReadonlySet<number | undefined> = new Set([1, cannotWrite, 19, 20, 25]);

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface OpenFile {
  readonly file: SqlFile;
  readonly inode: string;
  /** What was asked last; the next waits for it. */
  last: Promise<unknown> | undefined;
}

interface Question {
  readonly path: Clean;
  readonly statements: readonly BoundStatement[];
}

/** Closes a file when nobody waits for its answer any more. */
function closeUnused({ file, last }: OpenFile): void {
  const close = (): void => file.close();
  if (last === undefined) close();
  else last.then(close, close);
}

const nameAndQuery = /^(\/[^ \t-\r]*)[ \t-\r]*/;

class SqliteDatabase implements Database {
  readonly #open = new Cache<string, OpenFile>(filesKept, closeUnused);
  readonly #complaints = new UnquotedComplaints();
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  find(query: Text, options: LookupOptions, context: Context): Eventual<Found> {
    return then(this.#fileOf(query, options, context), ({ file, sql }) => {
      const bound = bindSqlite(sql);
      if ('error' in bound) throw new LookupProblem(bound.error);
      const path = clean(file);
      if (path === undefined) throw new LookupProblem(`Tainted filename for search: '${file.value}'`);
      if (!path.startsWith('/')) throw new LookupProblem('absolute file name expected for "sqlite" lookup');
      if (bound.unquoted) this.#complaints.complain(sql, context);
      const question = { path, statements: bound.statements };
      const reads = bound.statements.every((statement) => statement.reads);
      return this.#ask(question, reads, context);
    });
  }

  close(): void {
    this.#open.clear();
  }

  /** The file that the option, the query or the main section names, and the rest of the query. */
  #fileOf(
    query: Text,
    options: LookupOptions,
    context: Context,
  ): Eventual<{ readonly file: Text; readonly sql: Text }> {
    const named = options.get('file');
    if (named !== undefined) {
      const reason = 'an option behind a search type stands in the configuration; a tainted list is refused as a query';
      return { file: Text.vouched(reviewed(named, reason)), sql: query };
    }
    const [all = '', name = ''] = nameAndQuery.exec(query.value) ?? [];
    if (name !== '') return { file: query.slice(0, name.length), sql: query.slice(all.length) };
    const { sqlite_dbfile: standard } = this.#surroundings.main;
    if (standard === undefined) return { file: Text.empty, sql: query };
    return then(standard.expand(context), (expansion) => {
      if (expansion.ok) return { file: expansion.text, sql: query };
      throw new LookupProblem(`failed to expand sqlite_dbfile "${standard.source}": ${expansion.message}`);
    });
  }

  #ask(question: Question, reads: boolean, context: Context): Eventual<Found> {
    const open = this.#opened(question.path, reads);
    const work = (): Eventual<Found> =>
      lastly(
        () => this.#run(open.file, question.statements),
        () => open.file.leaveTransaction(),
      );
    const answered = (error: unknown): Eventual<Found> => {
      const number = sqlErrorNumber(error);
      if (number === undefined) throw error;
      if (number === cannotWrite && reads) return this.#ask(question, false, context);
      if (number === cannotOpen) throw new LookupProblem(reasonOf(error));
      if (!faultsOfStatement.has(number)) return { outcome: 'defer', message: `sqlite: ${reasonOf(error)}` };
      context.services.log(
        `sqlite query failed: ${reasonOf(error)}: ${question.statements.map(({ sql }) => sql).join('')}`,
      );
      return notFound;
    };
    const attempt = (): Eventual<Found> => {
      try {
        const found = work();
        return found instanceof Promise ? found.catch(answered) : found;
      } catch (error) {
        return answered(error);
      }
    };
    if (open.last === undefined) {
      const found = attempt();
      if (found instanceof Promise) this.#remember(open, found);
      return found;
    }
    const found = open.last.then(attempt, attempt);
    this.#remember(open, found);
    return found;
  }

  #remember(open: OpenFile, found: Promise<Found>): void {
    const ended = (): void => {
      if (open.last === found) open.last = undefined;
    };
    open.last = found;
    found.then(ended, ended);
  }

  /** The file, opened again when another took its place. */
  #opened(path: Clean, reads: boolean): OpenFile {
    const key = `${reads} ${path}`;
    const status = files.stat(path);
    const inode = status === undefined ? 'none' : `${status.dev} ${status.ino}`;
    const known = this.#open.get(key);
    if (known?.inode === inode) return known;
    this.#open.delete(key);
    if (status !== undefined && !status.isFile()) throw new LookupProblem('unable to open database file');
    let file: SqlFile;
    try {
      file = new SqlFile(path, 0, reads);
    } catch (error) {
      throw new LookupProblem(reasonOf(error));
    }
    const open: OpenFile = { file, inode, last: undefined };
    this.#open.set(key, open);
    return open;
  }

  /** One statement after the other; each is tried again while another process has a lock. */
  #run(file: SqlFile, statements: readonly BoundStatement[], rows: string[] = [], from = 0): Eventual<Found> {
    const patience = elapsed() + this.#surroundings.main.sqlite_lock_timeout * 1000;
    for (let number = from; number < statements.length; number++) {
      const statement = statements[number];
      if (statement === undefined) break;
      try {
        for (const row of rowsOf(file, statement)) rows.push(row);
      } catch (error) {
        if (!locked.has(sqlErrorNumber(error))) throw error;
        return this.#waitAndRun(file, statement, patience).then((later) =>
          this.#run(file, statements, [...rows, ...later], number + 1),
        );
      }
    }
    return rows.length === 0 ? notFound : { outcome: 'found', value: rows.join('\n') };
  }

  async #waitAndRun(file: SqlFile, statement: BoundStatement, patience: number): Promise<string[]> {
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      await setTimeout(pause);
      try {
        return rowsOf(file, statement);
      } catch (error) {
        if (!locked.has(sqlErrorNumber(error)) || elapsed() >= patience) throw error;
      }
    }
  }
}

function rowsOf(file: SqlFile, { sql, values }: BoundStatement): string[] {
  const { columns, rows } = file.rows(sql, values);
  const texts: string[] = [];
  let length = 0;
  for (const row of rows) {
    const text = sqlRowText(columns, row.map(sqlValueText));
    length += text.length;
    if (length > longest) throw new LookupProblem('the answer to an sqlite query is longer than 16 MB');
    texts.push(text);
  }
  return texts;
}

export const sqlite = defineLookup({
  name: 'sqlite',
  doc: 'an SQLite file',
  style: 'query',
  options: ['file'],
  vouches: true,
  open: (surroundings) => new SqliteDatabase(surroundings),
  quote: (text) => text.replaceAll("'", "''"),
});
