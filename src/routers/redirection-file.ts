/** The files that redirection data is read from, and what must be true of them (Exim spec 22.10). */

import { accessErrorText, errorCode, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';

const maximumSize = 4 * 1024 * 1024;

export interface FileRules {
  /** Mode bits that may not be set. */
  readonly modeMask: number;
  readonly checkOwner: boolean;
  readonly checkGroup: boolean;
  readonly owners: readonly number[];
  readonly groups: readonly number[];
  readonly ignoreEacces: boolean;
  readonly ignoreEnotdir: boolean;
}

export type FileResult =
  | { readonly outcome: 'found'; readonly text: string }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'refused'; readonly message: string };

/** What there is to say of an included file that is a directory. */
const includedDirectory = 'Is a directory';

const refuse = (message: string): FileResult => ({ outcome: 'refused', message });

/** The contents of the file, checked by the rules if there are any. */
export function readRedirectionFile(path: Clean, rules: FileRules | undefined): FileResult {
  let file: files.Descriptor;
  try {
    file = files.open(path);
  } catch (error) {
    return whenNotOpened(path, error, rules);
  }
  try {
    const found = files.statOpen(file);
    if (rules === undefined && found.isDirectory()) return refuse(includedDirectory);
    if (!found.isFile()) return refuse(`${path} is not a regular file`);
    if (found.size > maximumSize) return refuse(`${path} is too large`);
    const problem = rules && checkOwnership(path, found, rules);
    if (problem !== undefined) return refuse(problem);
    const buffer = Buffer.alloc(found.size);
    return { outcome: 'found', text: buffer.toString('latin1', 0, files.readAt(file, buffer, 0)) };
  } finally {
    files.close(file);
  }
}

/** Included files are named in the administrator's data, or in a file whose owner was checked. */
export function includedFile(
  name: string,
  directory: string | undefined,
): { readonly text: string } | { readonly error: string } {
  if (directory !== undefined && !name.startsWith(`${directory.replace(/\/+$/, '')}/`)) {
    return { error: `included file ${name} is not in directory ${directory}` };
  }
  if (/(?:^|\/)\.\.(?:\/|$)/.test(name) && directory !== undefined) {
    return { error: `included file ${name} is not in directory ${directory}` };
  }
  const path = reviewed(
    name,
    'named by redirection data, which the administrator or the checked owner of a file wrote',
  );
  const found = readRedirectionFile(path, undefined);
  if (found.outcome === 'found') return { text: found.text };
  const why = found.outcome === 'none' ? 'No such file or directory' : found.message;
  const what = why === includedDirectory ? 'error while reading' : 'failed to open';
  return { error: `${what} included file ${name}: ${why}` };
}

/** That the file is not there means nothing only if the directory is: it may not be mounted. */
function whenNotOpened(path: Clean, error: unknown, rules: FileRules | undefined): FileResult {
  const code = errorCode(error);
  if (code === 'EACCES' && rules?.ignoreEacces) return { outcome: 'none' };
  if (code === 'ENOTDIR' && rules?.ignoreEnotdir) return { outcome: 'none' };
  if (code !== 'ENOENT') return refuse(`failed to open ${path}: ${accessErrorText(error)}`);
  if (rules === undefined || rules.ignoreEnotdir) return { outcome: 'none' };
  const directory = pathOf(files.parentOf(path) ?? literal(''), literal('.'));
  try {
    if (files.stat(directory) !== undefined) return { outcome: 'none' };
    return refuse(`failed to stat ${directory} (No such file or directory)`);
  } catch (problem) {
    return refuse(`failed to stat ${directory} (${errorText(problem)})`);
  }
}

function checkOwnership(path: Clean, found: files.Stats, rules: FileRules): string | undefined {
  const unwanted = found.mode & rules.modeMask;
  if (unwanted !== 0) {
    return `bad mode (0${found.mode.toString(8)}) for ${path}: 0${unwanted.toString(8)} bit(s) unexpected`;
  }
  if (rules.checkOwner && !rules.owners.includes(found.uid)) return `bad owner for ${path}`;
  if (rules.checkGroup && !rules.groups.includes(found.gid)) return `bad group for ${path}`;
  return undefined;
}
