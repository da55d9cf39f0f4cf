/**
 * `dsearch`: a directory, searched for an entry (Exim spec 9.3). Nothing is opened but the directory. What is found may be
 * used as a name, `.` and `..` included unless the filter is `subdir`.
 */

import { errorCode, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, pathOf, reviewed } from '../safe/taint.ts';
import { defineLookup, notFound, type Table } from './lookup.ts';

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

const filters: ReadonlyMap<string, (entry: files.Stats, name: string) => boolean> = new Map([
  ['file', (entry) => entry.isFile()],
  ['dir', (entry) => entry.isDirectory()],
  ['subdir', (entry, name) => entry.isDirectory() && name !== '.' && name !== '..'],
]);

/** Throws when the name is not that of a directory that can be read. */
function examine(name: Clean): void {
  if (!name.startsWith('/')) throw withCode('ENOENT');
  const directory = files.open(name);
  const isDirectory = files.statOpen(directory).isDirectory();
  files.close(directory);
  if (!isDirectory) throw withCode('ENOTDIR');
}

function open(directory: Clean): Table {
  examine(directory);
  return {
    find(key, options) {
      if (key.includes('/')) return { outcome: 'defer', message: `key for dsearch lookup contains a slash: ${key}` };
      if (key.includes('\0')) return notFound;
      const path = pathOf(directory, reviewed(key, 'one component of a path; it is looked for and not opened'));
      let entry: files.Stats | undefined;
      try {
        entry = files.linkStat(path);
      } catch (error) {
        if (errorCode(error) === 'ENOTDIR') return notFound;
        return { outcome: 'defer', message: `${path}: lstat: ${errorText(error)}` };
      }
      const fits = filters.get(options.get('filter') ?? '');
      if (entry === undefined || fits?.(entry, key) === false) return notFound;
      return { outcome: 'found', value: options.get('ret') === 'full' ? path : key };
    },
    close: () => undefined,
  };
}

export const dsearch = defineLookup({
  name: 'dsearch',
  doc: 'a directory, searched for an entry',
  style: 'single-key',
  purpose: 'for directory search',
  options: ['filter', 'ret'],
  vouches: true,
  open,
});
