/** One connection at a time to the hosts of `serialize_hosts` (Exim spec 30.4), among all processes of a spool. */

import { crypto } from '../lib/crypto.ts';
import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { type Clean, concat, literal, pathOf, reviewed } from '../safe/taint.ts';

/** Takes the place of the only connection; answers how to give it back, or nothing when it is taken. */
export function connectAlone(spoolDirectory: Clean, host: string): (() => void) | undefined {
  const digest = crypto().createHash('sha256').update(host, 'latin1').digest('hex').slice(0, 32);
  const name = concat(literal('serialize-'), reviewed(digest, 'hexadecimal digits'));
  const directory = pathOf(spoolDirectory, literal('db'));
  files.makeDirectories(directory, 0o750);
  const file = files.open(pathOf(directory, name), files.createOrAppend, 0o640);
  if (tryLock(file)) return () => files.close(file);
  files.close(file);
  return undefined;
}
