/**
 * Files of the administrator that a tool replaces while servers read them: a link stays a link, and who may read and
 * write the new file is as with the old one.
 */

import { errorCode } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';

/** The file that is replaced: the one that a link leads to. */
export function throughLink(path: Clean): Clean {
  const isLink = files.linkStat(path)?.isSymbolicLink() === true && files.stat(path) !== undefined;
  return isLink ? files.realPath(path) : path;
}

/** Gives a new file the owner, group and mode of another, as far as this process may. */
export function takeAfter(file: files.Descriptor | Clean, model: files.Stats): void {
  const own = typeof file === 'number' ? files.statOpen(file) : files.stat(file);
  if (own?.uid !== model.uid || own.gid !== model.gid) {
    try {
      files.setOwner(file, model.uid, model.gid);
    } catch (error) {
      // only root may give files away; others may at most lose readers, whom the mode below would name wrongly
      if (errorCode(error) !== 'EPERM') throw error;
    }
  }
  files.setMode(file, model.mode & 0o666);
}
