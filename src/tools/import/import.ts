/**
 * `tabella import`: what an old mail system knows of domains, aliases and users, brought into our tables. All that cannot
 * be carried over is told, with file, line and reason.
 */

import { errorCode, errorText } from '../../lib/errno.ts';
import { printing } from '../../lib/escapes.ts';
import type { Form, FormRules } from './form.ts';
import { gather } from './gather.ts';
import { ldifForm } from './ldif-form.ts';
import { pathsForm } from './paths-form.ts';
import { type ImportSource, type Origin, type Teller, Unreadable } from './record.ts';
import { sqlForm } from './sql-form.ts';
import { tablesForm } from './tables-form.ts';

export const forms: readonly Form[] = [tablesForm, pathsForm, sqlForm, ldifForm];

export interface ImportStreams {
  /** What was left out, and what is to be looked at. */
  error(line: string): void;
}

export interface ImportResult {
  readonly lost: number;
  readonly remarks: number;
}

/** Tells each loss as it comes. */
class Counter implements Teller {
  readonly #error: (line: string) => void;
  losses = 0;
  remarks = 0;

  constructor(error: (line: string) => void) {
    this.#error = error;
  }

  lost(origin: Origin, reason: string): void {
    this.losses++;
    this.#error(`${placed(origin)}: left out: ${printing(reason, true)}`);
  }

  remark(origin: Origin, reason: string): void {
    this.remarks++;
    this.#error(`${placed(origin)}: ${printing(reason, true)}`);
  }
}

function placed({ file, line }: Origin): string {
  return printing(line === undefined ? file : `${file}:${line}`, true);
}

/** Carries everything over. @throws Unreadable when a source or the output cannot be had; then nothing was written */
export async function importTables(
  sources: readonly ImportSource[],
  form: Form,
  rules: FormRules,
  { error }: ImportStreams,
): Promise<ImportResult> {
  const counter = new Counter(error);
  try {
    const gathered = gather(sources, counter, rules.progress);
    try {
      await form.write(gathered, rules, counter);
    } finally {
      gathered.close();
    }
  } catch (problem) {
    if (problem instanceof Unreadable || errorCode(problem) === undefined) throw problem;
    throw new Unreadable(errorText(problem));
  }
  return { lost: counter.losses, remarks: counter.remarks };
}
