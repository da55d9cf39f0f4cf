/** Lock files beside mailboxes, made in a way that is safe on NFS (Exim spec 26.3). */

import * as clock from '../lib/clock.ts';
import { errorCode } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, decimal, literal, reviewed } from '../safe/taint.ts';

let hitches = 0;

/** The name of a file of our own that is to become the lock file: host, time and process; no two are alike. */
export function hitchingPost(path: Clean, hostname: Clean): Clean {
  const number = hitches++;
  const name = concat(
    lockName(path),
    literal('.'),
    hostname,
    literal('.'),
    hex(clock.seconds()),
    literal('.'),
    hex(process.pid),
  );
  return number === 0 ? name : concat(name, literal('.'), decimal(number));
}

const hex = (value: number): Clean => reviewed(value.toString(16).padStart(8, '0'), 'digits');

/**
 * Makes the lock file of a mailbox: a hitching post is made and linked. Answers false when another holds the lock. A lock
 * file older than `timeout` seconds is left over and removed.
 * @throws the system's error when no file can be made there
 */
export function makeLockFile(path: Clean, own: Clean, mode: number, timeout: number): boolean {
  const lock = lockName(path);
  const file = files.open(own, files.createNew, mode);
  files.setMode(file, mode);
  files.close(file);
  try {
    files.makeLink(own, lock);
    return true;
  } catch (error) {
    if (files.linkStat(own)?.nlink === 2) return true;
    if (errorCode(error) !== 'EEXIST') throw error;
    const found = files.linkStat(lock);
    if (found !== undefined && clock.now() - found.ctimeMs > timeout * 1000) files.removeIfPossible(lock);
    return false;
  } finally {
    files.removeIfPossible(own);
  }
}

export function removeLockFile(path: Clean): void {
  files.removeIfPossible(lockName(path));
}

function lockName(path: Clean): Clean {
  return concat(path, literal('.lock'));
}
