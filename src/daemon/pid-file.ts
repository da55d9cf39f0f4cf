/** The file with the daemon's process id (Exim spec 14, pid_file_path; 5, -oP). */

import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { withFullRights } from '../safe/privileges.ts';
import type { Clean } from '../safe/taint.ts';

/** Writes the file; a problem is told, not thrown. */
export function writePidFile(path: Clean, complain: (text: string) => void): void {
  try {
    withFullRights(() => {
      files.removeIfPossible(path);
      const file = files.open(path, files.createNew, 0o644);
      files.setMode(file, 0o644);
      files.write(file, `${process.pid}\n`);
      files.close(file);
    });
  } catch (error) {
    complain(`failed to write pid file ${path}: ${errorText(error)}`);
  }
}

/** Removes the file if it is still ours. */
export function removePidFile(path: Clean): void {
  try {
    withFullRights(() => {
      if (files.readText(path, 64) === `${process.pid}\n`) files.removeIfPossible(path);
    });
  } catch {
    // somebody else has removed it
  }
}
