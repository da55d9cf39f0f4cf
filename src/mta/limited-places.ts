/**
 * What only so many may do at a time, among all processes of a spool: connections to the hosts of `serialize_hosts` (Exim
 * spec 30.4), runs of a transport with `max_parallel` (Exim spec 24). A place is a locked file, so that it is free again
 * when its process has died.
 */

import { crypto } from '../lib/crypto.ts';
import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { type Clean, concat, literal, pathOf, reviewed } from '../safe/taint.ts';

/** Takes one of the places for `what`; answers how to give it back, or nothing when all are taken. */
export function takePlace(spoolDirectory: Clean, what: string, places = 1): (() => void) | undefined {
  for (let place = 0; place < places; place++) {
    const release = tryPlace(spoolDirectory, place === 0 ? what : `${what} ${place}`);
    if (release !== undefined) return release;
  }
  return undefined;
}

function tryPlace(spoolDirectory: Clean, place: string): (() => void) | undefined {
  const digest = crypto().createHash('sha256').update(place, 'latin1').digest('hex').slice(0, 32);
  const name = concat(literal('serialize-'), reviewed(digest, 'hexadecimal digits'));
  const directory = pathOf(spoolDirectory, literal('db'));
  files.makeDirectories(directory, 0o750);
  const file = files.open(pathOf(directory, name), files.createOrAppend, 0o640);
  if (tryLock(file)) return () => files.close(file);
  files.close(file);
  return undefined;
}
