/**
 * `tabella expire`: removes or empties files that are older than a rule of the configuration lets them become. Root
 * does it with the rights of the user whose files they are, so that a link planted in a mailbox leads nowhere. The sums
 * in maildirsize files follow what is removed.
 */

import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { printing } from '../lib/escapes.ts';
import type { ExpiryRule } from '../options/expiry-rules.ts';
import * as files from '../safe/files.ts';
import { actingAs } from '../safe/privileges.ts';
import type { Clean } from '../safe/taint.ts';
import { userWithId } from '../safe/users.ts';
import type { MailboxSize } from '../store/mailbox-size.ts';
import { noteRemoval } from '../store/maildir-size-file.ts';
import { filesOf } from './path-pattern.ts';

export interface Expired {
  /** Files that were looked at. */
  readonly seen: number;
  /** Files that were removed or emptied, or would be. */
  readonly count: number;
  readonly size: number;
  readonly problems: number;
}

/** Who is told what happens. */
export interface ExpiryReport {
  /** A file that is removed or emptied, or would be. */
  file(path: string): void;
  problem(text: string): void;
  /** Now and then. */
  progress(seen: number, count: number): void;
}

/** With whose rights root works: nobody when the files would be root's own. */
function workerOf(rule: ExpiryRule): { readonly uid: number; readonly gid: number } | undefined {
  if (rule.user !== undefined) return rule.user.uid === 0 ? undefined : rule.user;
  const owner = files.stat(rule.directory);
  if (owner === undefined || owner.uid === 0) return undefined;
  return { uid: owner.uid, gid: userWithId(owner.uid)?.gid ?? owner.gid };
}

/** Carries one rule out. */
export async function expire(rule: ExpiryRule, dryRun: boolean, report: ExpiryReport): Promise<Expired> {
  const nothing = { seen: 0, count: 0, size: 0, problems: 0 };
  try {
    // what is not there holds nothing that is too old
    if (files.stat(rule.directory) === undefined) return nothing;
    if (process.geteuid?.() !== 0) return await carryOut(rule, dryRun, report);
    const worker = workerOf(rule);
    if (worker !== undefined) return await actingAs(worker.uid, worker.gid, () => carryOut(rule, dryRun, report));
    report.problem(`${rule.pattern}: root removes files of other users only; say whose they are with user=name`);
  } catch (error) {
    report.problem(`${rule.pattern}: ${errorText(error)}`);
  }
  return { ...nothing, problems: 1 };
}

/** Sums what is removed from a directory, and notes it when the next one comes. */
class Removals {
  #directory: Clean | undefined;
  #sum: { size: number; fileCount: number } = { size: 0, fileCount: 0 };

  add(directory: Clean, size: number): void {
    if (directory !== this.#directory) this.end();
    this.#directory = directory;
    this.#sum.size += size;
    this.#sum.fileCount++;
  }

  end(): void {
    const sum: MailboxSize = this.#sum;
    const part = this.#directory;
    this.#directory = undefined;
    this.#sum = { size: 0, fileCount: 0 };
    if (part === undefined || !/\/(?:cur|new)$/.test(part)) return;
    try {
      noteRemoval(files.parentOf(part) ?? part, sum);
    } catch {
      // who delivers next finds the sum wrong when the mailbox seems full, and makes it anew
    }
  }
}

async function carryOut(rule: ExpiryRule, dryRun: boolean, report: ExpiryReport): Promise<Expired> {
  const oldest = clock.now() - rule.age * 1000;
  const removals = new Removals();
  let [seen, count, size, problems] = [0, 0, 0, 0];
  const problem = (path: Clean, error: unknown): void => {
    problems++;
    report.problem(`${printing(path, false)}: ${errorText(error)}`);
  };
  for (const { directory, path, stats } of filesOf(rule.directory, rule.components, problem)) {
    seen++;
    report.progress(seen, count);
    const time = rule.by === 'mtime' ? stats.mtimeMs : stats.ctimeMs;
    if (time > oldest || (rule.empties && stats.size === 0)) continue;
    try {
      if (!dryRun && !(rule.empties ? empty(path) : files.remove(path))) continue;
    } catch (error) {
      problem(path, error);
      continue;
    }
    count++;
    size += stats.size;
    report.file(printing(path, false));
    if (!dryRun && !rule.empties) removals.add(directory, stats.size);
  }
  removals.end();
  return { seen, count, size, problems };
}

/** Who writes to the file goes on writing to it. */
function empty(path: Clean): boolean {
  const file = files.open(path, files.readWrite | files.noFollow);
  try {
    files.truncate(file, 0);
  } finally {
    files.close(file);
  }
  return true;
}
