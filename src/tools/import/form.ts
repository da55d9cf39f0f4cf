/** A form in which records are written: tables of text, SQL, LDIF. */

import type { Clean } from '../../safe/taint.ts';
import type { Gathered, Progress } from './gather.ts';
import type { Teller } from './record.ts';

export interface FormRules {
  /** A directory for tables, a file for SQL and LDIF; nothing for standard output. */
  readonly output: Clean | undefined;
  readonly dryRun: boolean;
  readonly replace: boolean;
  /** Below which the mailboxes lie. */
  readonly mailRoot: string;
  /** What the directory holds already, as LDIF. */
  readonly existing: Clean | undefined;
  /** The entry above all domains. */
  readonly base: string;
  /** Who owns mailboxes of which nothing is said. */
  readonly uid: number;
  readonly gid: number;
  /** A line about what is done. */
  say(line: string): void;
  /** A piece of the result, when no file is named. */
  out(text: string): void;
  progress: Progress;
}

export interface Form {
  readonly name: string;
  readonly doc: string;
  /** A directory must be named. */
  readonly needsOutput: boolean;
  write(gathered: Gathered, rules: FormRules, teller: Teller): Promise<void>;
}
