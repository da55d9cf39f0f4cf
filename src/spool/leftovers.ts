/**
 * Files that a crash left on the spool and that belong to no message of the queue: bodies whose reception broke off or
 * whose message is finished, envelopes that never got their names, and journals without a message.
 */

import { errorCode } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { type Clean, concat, literal, pathOf, queueId, reviewed } from '../safe/taint.ts';

/** Names that are looked at before other work gets its turn. */
const atOnce = 500;

/** Removes what is older than `age` milliseconds at the time `now`; answers how many files that were. */
export async function removeLeftovers(directories: Iterable<Clean>, age: number, now: number): Promise<number> {
  let removed = 0;
  for (const directory of directories) {
    const old: Clean[] = [];
    let count = 0;
    for (const name of namesIn(directory)) {
      const path = leftover(directory, name);
      if (path !== undefined && isOld(path, now - age)) old.push(path);
      if (++count % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const path of old) if (removeUnused(path)) removed++;
  }
  return removed;
}

function* namesIn(directory: Clean): Generator<string> {
  try {
    yield* files.list(directory);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** The path of a file that has no -H file beside it, or that will never be one. */
function leftover(directory: Clean, name: string): Clean | undefined {
  const reason = 'its parts were checked to be those of a spool file';
  if (name.startsWith('hdr.')) {
    return queueId(name.slice(4)) === undefined ? undefined : pathOf(directory, reviewed(name, reason));
  }
  const id = /-[DJ]$/.test(name) ? queueId(name.slice(0, -2)) : undefined;
  if (id === undefined || files.linkStat(pathOf(directory, concat(id, literal('-H')))) !== undefined) return undefined;
  return pathOf(directory, reviewed(name, reason));
}

function isOld(path: Clean, before: number): boolean {
  const found = files.linkStat(path);
  return found !== undefined && found.mtimeMs < before;
}

/** Removes a file unless somebody works on it. */
function removeUnused(path: Clean): boolean {
  try {
    const file = files.open(path, files.readWrite);
    try {
      return tryLock(file) && files.remove(path);
    } finally {
      files.close(file);
    }
  } catch {
    // it is gone, or is not ours to remove
    return false;
  }
}
