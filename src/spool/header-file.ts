/** Writes -H files so that they are whole or not there (`spool.ts` has the states). */

import { errorCode } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, literal, pathOf } from '../safe/taint.ts';
import type { Envelope } from './envelope.ts';
import { writeHeaderFile } from './format.ts';
import type { Spool } from './spool.ts';

/** Writes the -H file beside its place, syncs it together with what else is to be synced, and puts it there. */
export async function writeHeaders(
  spool: Spool,
  path: Clean,
  envelope: Envelope,
  other?: Promise<void>,
): Promise<void> {
  const directory = files.parentOf(path) ?? literal('.');
  const beside = pathOf(directory, concat(literal('hdr.'), envelope.id));
  // when this fails its caller closes the other file, so nothing may be at work on it any more
  const otherEnded = Promise.allSettled([other]);
  try {
    const file = createAnew(spool, beside);
    try {
      files.write(file, writeHeaderFile(envelope));
      await files.sync(file);
    } finally {
      files.close(file);
    }
    await other;
    files.rename(beside, path);
    await files.syncDirectory(directory);
  } catch (error) {
    files.removeIfPossible(beside);
    await otherEnded;
    throw error;
  }
}

/** Makes a file; one that a crash has left in its place goes. */
function createAnew(spool: Spool, path: Clean): files.Descriptor {
  try {
    return spool.create(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    files.removeIfPossible(path);
    return spool.create(path);
  }
}
