/** Processes of this program that run as another user, to deliver to his mailbox or to read it. */

import { withFullRights } from '../safe/privileges.ts';
import { type RunningProgram, startProgram } from '../safe/spawn.ts';
import { type Clean, decimal, literal } from '../safe/taint.ts';

/** User and group of a job, and what its process is to have besides. */
export interface Rights {
  readonly uid: number;
  readonly gid: number;
  /** All groups of the user (initgroups). */
  readonly allGroups: boolean;
}

/** How this program starts itself. */
export interface SelfCommand {
  readonly program: Clean;
  readonly args: readonly Clean[];
}

/** Whether this process has just these rights already. */
export function hasRights({ uid, gid }: Rights): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === uid && (own !== 0 || gid === process.getegid?.());
}

/** Why it cannot have them; for logs. */
export function noRight({ uid, gid }: Rights): string {
  const own = process.geteuid?.() ?? 0;
  return `unable to become uid=${uid} gid=${gid}: this process has no right to (euid=${own})`;
}

/** Starts this program as another user; `word` says what it is to do. */
export function startAs({ program, args }: SelfCommand, word: Clean, { uid, gid, allGroups }: Rights): RunningProgram {
  return withFullRights(() =>
    startProgram({
      program,
      args: [...args, word, decimal(uid), decimal(gid), literal(allGroups ? 'all' : 'one')],
      environment: {},
      directory: literal('/'),
      umask: 0o077,
    }),
  );
}
