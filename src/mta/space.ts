/** Whether the disks have room for another message (Exim spec 14: check_spool_space and its sisters). */

import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import { literal, reviewed } from '../safe/taint.ts';
import type { Runtime } from './runtime.ts';

/** Free inodes of a file system that does not count them. */
const uncounted = -1;

/** Looks at the spool, where `announced` octets more are to go, and at the logs; what is short is logged. */
export function hasSpace(runtime: Runtime, announced: number): boolean {
  const { main } = runtime.config;
  const { spoolDirectory, logFileDirectory } = runtime.settings;
  const extra = Math.floor(announced / 1024);
  const spoolIsFine = holds(runtime, 'spool', spoolDirectory, main.check_spool_space + extra, main.check_spool_inodes);
  if (!spoolIsFine) return false;
  if (logFileDirectory === undefined) return true;
  return holds(runtime, 'log', logFileDirectory, main.check_log_space, main.check_log_inodes);
}

function holds(
  { logs }: Runtime,
  what: 'spool' | 'log',
  directory: string,
  kilobytes: number,
  inodes: number,
): boolean {
  if (kilobytes <= 0 && inodes <= 0) return true;
  let path: Clean = reviewed(directory, 'one of the places of this server');
  // before the first message or the first line of a log it may not be there
  while (files.stat(path) === undefined) path = files.parentOf(path) ?? literal('/');
  try {
    const found = files.space(path);
    const freeInodes = found.inodes === 0 ? uncounted : found.freeInodes;
    const free = Math.floor(found.free / 1024);
    const isFine = free >= kilobytes && (freeInodes === uncounted || freeInodes >= inodes);
    if (!isFine) logs.main(`${what} directory space check failed: space=${free} inodes=${freeInodes}`);
    return isFine;
  } catch (error) {
    logs.panic(`cannot accept message: failed to stat ${what} directory ${directory}: ${errorText(error)}`);
    return false;
  }
}
