/** What must be true of an existing mailbox file before anything is written to it (Exim spec 26.3). */

import * as files from '../safe/files.ts';
import type { AppendfileJob } from './appendfile-job.ts';
import { type DeliveryResult, deferred } from './transport.ts';

const codes = { notRegular: -4, wrongOwner: -6, wrongMode: -7, badCreate: -34 } as const;

const bits = (mode: number): string => (mode & 0o7777).toString(8);

/** What is wrong with a file of that name, if anything. `setMode` changes its permissions where they are
 * too wide, or where a filter asked for others. */
export function checkMailbox(
  job: AppendfileJob,
  found: files.Stats,
  setMode: (mode: number) => void,
): DeliveryResult | undefined {
  const { path } = job;
  if (!found.isFile() && !(job.allowFifo && found.isFIFO()) && !found.isDirectory()) {
    return deferred(codes.notRegular, `mailbox ${path} is not a regular file`);
  }
  if (found.nlink !== 1) return deferred(codes.notRegular, `mailbox ${path} has too many links (${found.nlink})`);
  if (found.isDirectory()) return deferred(codes.notRegular, `mailbox ${path} is not a regular file`);
  if (job.checkOwner && found.uid !== job.uid) {
    return deferred(codes.wrongOwner, `mailbox ${path} has wrong uid (${found.uid} != ${job.uid})`);
  }
  if (job.checkGroup && found.gid !== job.gid) {
    return deferred(codes.wrongOwner, `mailbox ${path} has wrong gid (${found.gid} != ${job.gid})`);
  }
  const mode = found.mode & 0o7777;
  if (mode === job.mode || found.isFIFO()) return undefined;
  if (job.setsMode) {
    setMode(job.mode);
    return undefined;
  }
  if ((mode & job.mode) !== job.mode && job.failNarrower) {
    return deferred(codes.wrongMode, `mailbox ${path} has the wrong mode ${bits(mode)} (${bits(job.mode)} expected)`);
  }
  if ((mode & ~job.mode) !== 0) setMode(mode & job.mode);
  return undefined;
}

/** Whether a file or directory may be made at this place (create_file). */
function mayBeMade({ path, creation }: AppendfileJob): boolean {
  if (!('directory' in creation)) return creation.where === 'anywhere';
  const home = `${creation.directory.replace(/\/+$/, '')}/`;
  if (!path.startsWith(home) || /(?:^|\/)\.\.(?:\/|$)/.test(path)) return false;
  return creation.where === 'below' || !path.slice(home.length).includes('/');
}

const outside = 'outside the home directory is not permitted';

/** Why a mailbox file that is not there must not be made. */
export function checkCreation(job: AppendfileJob): DeliveryResult | undefined {
  if (mayBeMade(job)) return undefined;
  return deferred(codes.badCreate, `mailbox ${job.path} does not exist, but creation ${outside}`);
}

/** Why no message may be put into this directory. */
export function checkCreationIn(job: AppendfileJob): DeliveryResult | undefined {
  if (mayBeMade(job)) return undefined;
  return deferred(codes.badCreate, `tried to create file in ${job.path}, but file creation ${outside}`);
}

/** Makes the directories above a file that are missing, where that is permitted. */
export function makeParents(job: AppendfileJob): void {
  const parent = files.parentOf(job.path);
  if (job.createDirectory && parent !== undefined && mayBeMade(job)) files.makeDirectories(parent, job.directoryMode);
}
