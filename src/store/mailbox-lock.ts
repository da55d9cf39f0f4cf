/**
 * The locks of a mailbox file, taken as those who deliver take them: the lock file beside it first, then the locks of the
 * open file (Exim spec 26.3).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import * as clock from '../lib/clock.ts';
import * as files from '../safe/files.ts';
import { tryFlock, tryLock } from '../safe/native.ts';
import type { Clean } from '../safe/taint.ts';
import { hitchingPost, makeLockFile, removeLockFile } from './lock-file.ts';

/** How a mailbox file is locked: the options of the transport that delivers to it. */
export interface LockRules {
  readonly lockFile: boolean;
  readonly lockFileMode: number;
  /** Seconds after which a lock file is left over. */
  readonly lockFileTimeout: number;
  readonly fcntl: boolean;
  readonly flock: boolean;
  /** Those two by the rules of MBX: shared for the mailbox, exclusive for a file that stands for it. */
  readonly mbx: boolean;
  readonly retries: number;
  /** Seconds between two attempts. */
  readonly interval: number;
  /** Seconds to wait for each kind of lock; 0 asks once per attempt. */
  readonly fcntlTimeout: number;
  readonly flockTimeout: number;
}

export interface LockPlace {
  readonly path: Clean;
  readonly lock: LockRules;
  readonly hostname: Clean;
}

/** Milliseconds between two attempts: somebody waits for us. */
const interval = 200;

export type Locked<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: 'locked' }
  | { readonly outcome: 'missing' };

/** Does something with a mailbox file while nobody else writes to it. `patience` in milliseconds. */
export async function withLock<T>(
  place: LockPlace,
  patience: number,
  work: (file: files.Descriptor) => Promise<T>,
): Promise<Locked<T>> {
  const { path, lock, hostname } = place;
  if (files.stat(path) === undefined) return { outcome: 'missing' };
  const until = clock.elapsed() + patience;
  if (!lock.lockFile) return withFileLock(place, until, work);
  while (!makeLockFile(path, hitchingPost(path, hostname), lock.lockFileMode, lock.lockFileTimeout)) {
    if (clock.elapsed() >= until) return { outcome: 'locked' };
    await sleep(interval);
  }
  try {
    return await withFileLock(place, until, work);
  } finally {
    removeLockFile(path);
  }
}

async function withFileLock<T>(
  { path, lock }: LockPlace,
  until: number,
  work: (file: files.Descriptor) => Promise<T>,
): Promise<Locked<T>> {
  for (;;) {
    if (files.stat(path) === undefined) return { outcome: 'missing' };
    const file = files.open(path, files.readWrite);
    try {
      const isLocked = (!lock.fcntl || tryLock(file)) && (!lock.flock || tryFlock(file));
      if (isLocked && stillNamed(path, file)) return { outcome: 'done', value: await work(file) };
    } finally {
      files.close(file);
    }
    if (clock.elapsed() >= until) return { outcome: 'locked' };
    await sleep(interval);
  }
}

/** Whether a name still belongs to an open file: a reader may have put another in its place while we waited. */
export function stillNamed(path: Clean, file: files.Descriptor): boolean {
  const named = files.stat(path);
  const { ino, dev } = files.statOpen(file);
  return named?.ino === ino && named.dev === dev;
}
