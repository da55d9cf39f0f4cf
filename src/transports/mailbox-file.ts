/** Appends a message to a mailbox file: locked, checked, and put back as it was when something fails (Exim spec 26.3). */

import { setTimeout as sleep } from 'node:timers/promises';
import * as clock from '../lib/clock.ts';
import { effectiveIds, errorCode, errorNumber, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type LockKind, tryFlock, tryLock } from '../safe/native.ts';
import { hitchingPost, makeLockFile, removeLockFile } from '../store/lock-file.ts';
import { type LockRules, stillNamed } from '../store/mailbox-lock.ts';
import { leaveMbxLock, openMbxLock, standsStill } from '../store/mbx-lock.ts';
import type { AppendfileJob } from './appendfile-job.ts';
import { writeMessage } from './appendfile-writer.ts';
import { tellComsat } from './comsat.ts';
import { checkCreation, checkMailbox, makeParents } from './mailbox-checks.ts';
import { checkQuota, crossedThreshold } from './mailbox-quota.ts';
import { writeMbxMessage } from './mbx.ts';
import { type ContentReader, type DeliveryResult, deferred, errorCodes, type Undelivered } from './transport.ts';

const codes = { changed: -8, locked: -9, existRace: -27 } as const;

/** A system error as a deferral; the log names the error in the C library's words. */
export function systemError(error: unknown, what: string): Undelivered {
  const full = errorCode(error) === 'EDQUOT';
  return deferred(errorNumber(error), full ? `mailbox is full: ${what}` : what, {
    publicMessage: full ? 'mailbox is full' : undefined,
  });
}

export async function appendToMailbox(job: AppendfileJob, content: ContentReader): Promise<DeliveryResult> {
  if (job.path === '/dev/null') return { outcome: 'delivered' };
  try {
    makeParents(job);
  } catch (error) {
    return systemError(error, `failed to create directories for ${job.path}: ${errorText(error)}`);
  }
  if (!job.lock.lockFile) return appendLocked(job, content);
  const locked = await takeLockFile(job);
  if (locked !== undefined) return locked;
  try {
    return await appendLocked(job, content);
  } finally {
    removeLockFile(job.path);
  }
}

async function takeLockFile(job: AppendfileJob): Promise<DeliveryResult | undefined> {
  const { lock, path, hostname } = job;
  for (let attempt = 0; attempt < Math.max(lock.retries, 1); attempt++) {
    if (attempt > 0) await sleep(lock.interval * 1000);
    const post = hitchingPost(path, hostname);
    try {
      if (makeLockFile(path, post, lock.lockFileMode, lock.lockFileTimeout)) return undefined;
    } catch (error) {
      return systemError(error, `creating lock file hitching post ${post} ${effectiveIds()}`);
    }
  }
  return deferred(codes.locked, `failed to lock mailbox ${path} (lock file)`);
}

type Opened = { readonly file: files.Descriptor; readonly existed: boolean } | { readonly failure: DeliveryResult };

/** Opens the mailbox as it was checked, or makes it; if somebody changes it meanwhile, that is noticed. */
function openMailbox(job: AppendfileJob): Opened {
  const { path } = job;
  for (let attempt = 0; attempt < 10; attempt++) {
    const link = files.linkStat(path);
    const found = link?.isSymbolicLink() && job.allowSymlink ? files.stat(path) : link;
    try {
      if (found === undefined) {
        if (job.mustExist) {
          const what = `mailbox ${path} does not exist, but file_must_exist is set`;
          return { failure: deferred(2, what) };
        }
        const refused = checkCreation(job);
        if (refused !== undefined) return { failure: refused };
        const file = files.open(
          path,
          job.allowSymlink ? files.createOrAppend : files.createNew | files.appending,
          job.mode,
        );
        files.setMode(file, job.mode);
        return { file, existed: false };
      }
      const failure = checkMailbox(job, found, (mode) => files.setMode(path, mode));
      if (failure !== undefined) return { failure };
      if (found.isFIFO()) return openFifo(job);
      const file = files.open(path, files.readWrite | files.appending | (job.allowSymlink ? 0 : files.noFollow));
      const opened = files.statOpen(file);
      if (opened.ino === found.ino && opened.isFile() && opened.uid === found.uid) return { file, existed: true };
      files.close(file);
      return { failure: deferred(codes.changed, `opened mailbox ${path} inode number changed`, { freeze: true }) };
    } catch (error) {
      const code = errorCode(error);
      // somebody else made it meanwhile, or took it away
      if (found === undefined ? code === 'EEXIST' : code === 'ENOENT') continue;
      return { failure: systemError(error, `while ${found === undefined ? 'creating' : 'opening'} mailbox ${path}`) };
    }
  }
  return { failure: deferred(codes.existRace, `mailbox ${path}: existence unclear`, { freeze: true }) };
}

function openFifo(job: AppendfileJob): Opened {
  try {
    return { file: files.open(job.path, files.writeWithoutWaiting), existed: true };
  } catch (error) {
    const what = `while opening named pipe ${job.path} (could mean no process is reading it)`;
    return { failure: systemError(error, what) };
  }
}

/** Asks for the locks of an open file until they are given or the time is over. */
async function waitForLocks(file: files.Descriptor, lock: LockRules, kind: LockKind): Promise<boolean> {
  const kinds = [
    { wanted: lock.fcntl, take: tryLock, timeout: lock.fcntlTimeout },
    { wanted: lock.flock, take: tryFlock, timeout: lock.flockTimeout },
  ];
  for (const { wanted, take, timeout } of kinds) {
    if (!wanted) continue;
    const until = clock.now() + timeout * 1000;
    while (!take(file, kind)) {
      if (clock.now() >= until) return false;
      await sleep(100);
    }
  }
  return true;
}

const notGiven = 'fcntl/flock';

/** Works on an open mailbox while it is locked; answers in a word why it could not be, when another try may help. */
async function whileLocked(
  { path, lock }: AppendfileJob,
  file: files.Descriptor,
  work: () => Promise<DeliveryResult>,
): Promise<DeliveryResult | string> {
  if (!(await waitForLocks(file, lock, lock.mbx ? 'shared' : 'exclusive'))) return notGiven;
  // while we waited, a reader may have put a file without the messages he removed in the place of this one
  if (!isStillThere(path, file)) return 'replaced by another file';
  if (!lock.mbx) return work();
  const beside = openMbxLock(file, lock.lockFileMode);
  if ('problem' in beside) return deferred(codes.locked, beside.problem);
  if (!(await waitForLocks(beside.file, lock, 'exclusive')) || !standsStill(beside)) {
    files.close(beside.file);
    return notGiven;
  }
  try {
    return await work();
  } finally {
    leaveMbxLock(beside, file, lock);
  }
}

async function appendLocked(job: AppendfileJob, content: ContentReader): Promise<DeliveryResult> {
  const { lock, path } = job;
  const timeout = Math.max(lock.fcntlTimeout, lock.flockTimeout);
  const attempts = timeout > 0 ? Math.ceil((lock.retries * lock.interval) / timeout) : lock.retries;
  let refused = '';
  for (let attempt = 0; attempt < Math.max(attempts, 1); attempt++) {
    if (attempt > 0 && timeout === 0) await sleep(lock.interval * 1000);
    const opened = openMailbox(job);
    if ('failure' in opened) return opened.failure;
    try {
      const result = await whileLocked(job, opened.file, () => append(job, content, opened.file, opened.existed));
      if (typeof result !== 'string') return result;
      refused = result;
    } finally {
      files.close(opened.file);
    }
  }
  return deferred(codes.locked, `failed to lock mailbox ${path} (${refused})`);
}

function isStillThere(path: AppendfileJob['path'], file: files.Descriptor): boolean {
  return !files.statOpen(file).isFile() || stillNamed(path, file);
}

/** `file_format`: a mailbox that begins as another transport writes it is left to that one. */
function otherFormat(
  { fileFormats, transport }: AppendfileJob,
  file: files.Descriptor,
  { size }: files.Stats,
): Undelivered | undefined {
  if (fileFormats.length === 0 || size === 0) return undefined;
  const longest = Math.max(...fileFormats.map(({ start }) => start.length));
  const buffer = Buffer.alloc(longest);
  const start = buffer.toString('latin1', 0, files.readAt(file, buffer, 0));
  const found = fileFormats.find((format) => start.startsWith(format.start));
  if (found?.transport === transport) return undefined;
  return deferred(errorCodes.badFormat, 'mailbox file format unrecognized', { handOverTo: found?.transport });
}

async function append(
  job: AppendfileJob,
  content: ContentReader,
  file: files.Descriptor,
  existed: boolean,
): Promise<DeliveryResult> {
  const before = files.statOpen(file);
  const other = otherFormat(job, file, before);
  if (other !== undefined) return other;
  const size = job.quota.knownSize ?? before.size;
  const sinceRead = Math.max(Math.floor((clock.now() - before.atimeMs) / 1000), 0);
  const full = checkQuota(job, { size, fileCount: 0 }, job.path, () => sinceRead);
  if (full !== undefined || job.onlyQuota) return full ?? { outcome: 'delivered' };
  try {
    if (job.mbx) await writeMbxMessage(job, content, file, before.size === 0);
    else await writeMessage(job, content, file);
    if (before.isFile()) await files.sync(file);
  } catch (error) {
    if (before.isFile()) {
      files.truncate(file, before.size);
      files.setTime(job.path, before.mtimeMs);
    }
    return systemError(error, `error while writing to mailbox ${job.path}`);
  }
  const parent = files.parentOf(job.path);
  if (!existed && parent !== undefined) await files.syncDirectory(parent);
  if (job.comsatUser !== '') await tellComsat(job.comsatUser, before.size);
  const written = before.isFile() ? files.statOpen(file).size - before.size : 0;
  return {
    outcome: 'delivered',
    warning: crossedThreshold(job, size, written) ? { message: job.warningMessage } : undefined,
  };
}
