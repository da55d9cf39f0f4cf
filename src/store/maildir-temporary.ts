/** Files of a maildir that are not messages: made in its `tmp`, put in their place whole. */

import * as clock from '../lib/clock.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, decimal, literal, pathOf } from '../safe/taint.ts';

let made = 0;

/** Puts a file into a maildir, in the place of one of that name. @throws the system's error */
export function putIntoMaildir(directory: Clean, name: Clean, text: Uint8Array | string, mode: number): void {
  const beside = pathOf(
    directory,
    literal('tmp'),
    concat(
      decimal(clock.seconds()),
      literal('.P'),
      decimal(process.pid),
      literal('Q'),
      decimal(++made),
      literal('.'),
      name,
    ),
  );
  try {
    const file = files.open(beside, files.createNew, mode);
    try {
      files.setMode(file, mode);
      files.write(file, text);
    } finally {
      files.close(file);
    }
    files.rename(beside, pathOf(directory, name));
  } catch (error) {
    files.removeIfPossible(beside);
    throw error;
  }
}
