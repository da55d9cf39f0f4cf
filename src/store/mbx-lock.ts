/**
 * The lock of a mailbox in MBX format: readers and those who deliver all lock the mailbox itself shared, and who changes
 * it locks a file that stands for it, `/tmp/.DEVICE.INODE`, as c-client does (Exim spec 26.3).
 */

import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type LockKind, tryFlock, tryLock } from '../safe/native.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import type { LockRules } from './mailbox-lock.ts';

export interface MbxLock {
  readonly path: Clean;
  readonly file: files.Descriptor;
}

/** Asks once for the kinds of locks that the rules name. */
const takeLocks = (file: files.Descriptor, { fcntl, flock }: LockRules, kind: LockKind): boolean =>
  (!fcntl || tryLock(file, kind)) && (!flock || tryFlock(file, kind));

/** Opens the file that stands for a mailbox; anybody may write where it lies. It is still to be locked. */
export function openMbxLock(mailbox: files.Descriptor, mode: number): MbxLock | { readonly problem: string } {
  const { dev, ino } = files.statOpen(mailbox);
  const path = reviewed(`/tmp/.${dev.toString(16)}.${ino.toString(16)}`, 'two numbers');
  const found = files.linkStat(path);
  if (found?.isSymbolicLink()) return { problem: `symbolic link on MBX lock file ${path}` };
  if (found !== undefined && found.nlink > 1) return { problem: `hard link to MBX lock file ${path}` };
  try {
    const file = files.open(path, files.createOrOpen | files.noFollow, mode);
    const opened = files.statOpen(file);
    if (opened.isFile() && opened.nlink === 1) {
      // whoever made it may be another user
      if (opened.uid === process.geteuid?.()) files.setMode(file, mode);
      return { path, file };
    }
    files.close(file);
    return { problem: `hard link to MBX lock file ${path}` };
  } catch (error) {
    return { problem: `failed to open MBX lock file ${path} :${errorText(error)}` };
  }
}

/** Whether the name still belongs to the file that was locked: who had it before removes it. */
export function standsStill({ path, file }: MbxLock): boolean {
  const named = files.linkStat(path);
  const { ino, dev } = files.statOpen(file);
  return named?.ino === ino && named.dev === dev;
}

/** Gives the lock back; when nobody else has the mailbox open, the file that stood for it goes. */
export function leaveMbxLock({ path, file }: MbxLock, mailbox: files.Descriptor, rules: LockRules): void {
  if (takeLocks(mailbox, rules, 'exclusive')) files.removeIfPossible(path);
  files.close(file);
}
