/**
 * Standard output and error, written at once. The streams of the run-time would bring the whole of its networking with
 * them, which takes longer than a short command does.
 */

import fs from 'node:fs';

const full = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of it; waits while a pipe is full. Answers false when nobody reads any more. */
export function writeStandard(descriptor: 1 | 2, octets: Buffer): boolean {
  for (let at = 0; at < octets.length; ) {
    try {
      at += fs.writeSync(descriptor, octets, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
      Atomics.wait(full, 0, 0, 2);
    }
  }
  return true;
}
