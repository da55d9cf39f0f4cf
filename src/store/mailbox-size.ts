/** What a mailbox of many files holds, by its file names or by asking for each file (Exim spec 26.2, quota). */

import { errorCode } from '../lib/errno.ts';
import { regex } from '../lib/regex.ts';
import * as files from '../safe/files.ts';
import { type Clean, pathOf, reviewed } from '../safe/taint.ts';
import { sizesName } from './maildir-sizes.ts';

export interface MailboxSize {
  readonly size: number;
  readonly fileCount: number;
}

/** Directories are not followed deeper than this. */
const maximumDepth = 32;

/** The number that a file's name gives for its size, by a pattern that captures one. */
export function sizeFromName(name: string, pattern: string | undefined): number | undefined {
  if (pattern === undefined) return undefined;
  const captured = regex(pattern).match(name)?.groups[1];
  return captured !== undefined && /^\d{1,15}$/.test(captured) ? Number(captured) : undefined;
}

/**
 * Sums the files of a directory and of those below it. Only files whose name does not tell their size are asked for, and
 * of a file with several names each counts its part.
 */
export function directorySize(directory: Clean, sizeRegex: string | undefined, depth = 0): MailboxSize {
  let size = 0;
  let fileCount = 0;
  if (depth > maximumDepth) return { size, fileCount };
  try {
    for (const name of files.list(directory)) {
      if (name === sizesName) continue;
      const told = sizeFromName(name, sizeRegex);
      if (told !== undefined) {
        size += told;
        fileCount++;
        continue;
      }
      const path = pathOf(directory, reviewed(name, 'a name the directory itself holds'));
      const found = files.stat(path);
      if (found === undefined) continue;
      if (found.isDirectory()) {
        const inner = directorySize(path, sizeRegex, depth + 1);
        size += inner.size;
        // the directory itself counts, too, as it does in Exim
        fileCount += inner.fileCount + 1;
      } else if (found.isFile()) {
        size += found.nlink > 1 ? Math.floor(found.size / found.nlink) : found.size;
        fileCount++;
      }
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  return { size, fileCount };
}
