/**
 * Lines of files that others wrote: read piece by piece, of bounded length, with their numbers. A line with a binary zero
 * and one that is too long are told and left out.
 */

import { errorText } from '../../lib/errno.ts';
import * as files from '../../safe/files.ts';
import { type Clean, reviewed } from '../../safe/taint.ts';
import { type Teller, Unreadable } from './record.ts';

export interface InputLine {
  /** Without its LF or CR LF. */
  readonly text: string;
  readonly line: number;
}

/** Octets of one line. */
const longest = 64 * 1024;
const pieceSize = 256 * 1024;

/** The name of a file of the old system: the one who calls the program reads it with his own rights. */
export function inputFile(path: string): Clean {
  return reviewed(path, 'a file of the system that is left, read with the rights of the caller');
}

export interface InputRules {
  /** Whom the file must belong to, besides root: what a user owns may not lead to what he cannot read. */
  readonly owner?: number | undefined;
}

/** Opens a regular file. What belongs to a user is not opened through a link. @throws Unreadable */
export function openInput(path: Clean, { owner }: InputRules = {}): files.Descriptor {
  let file: files.Descriptor;
  try {
    file = files.open(path, owner === undefined ? files.readOnly : files.readOnly | files.noFollow);
  } catch (error) {
    const isLink = files.linkStat(path)?.isSymbolicLink() === true && owner !== undefined;
    throw new Unreadable(isLink ? 'it is a symbolic link, and is not followed' : errorText(error));
  }
  const found = files.statOpen(file);
  let problem: string | undefined;
  if (!found.isFile()) problem = 'it is not a regular file';
  else if (owner !== undefined && found.uid !== owner && found.uid !== 0) {
    problem = `it belongs to uid ${found.uid}, and not to uid ${owner}`;
  }
  if (problem === undefined) return file;
  files.close(file);
  throw new Unreadable(problem);
}

/** All lines of a file. @throws Unreadable */
export function* inputLines(path: Clean, teller: Teller, rules: InputRules = {}): Generator<InputLine> {
  const file = openInput(path, rules);
  try {
    yield* linesOf(file, path, teller);
  } finally {
    files.close(file);
  }
}

function* linesOf(file: files.Descriptor, path: Clean, teller: Teller): Generator<InputLine> {
  const buffer = Buffer.allocUnsafe(pieceSize);
  let rest = '';
  let length = 0;
  let line = 0;
  const finished = (): InputLine | undefined => {
    line++;
    const text = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
    const fault =
      length > longest
        ? `the line is longer than ${longest} octets`
        : text.includes('\0')
          ? 'a binary zero'
          : undefined;
    rest = '';
    length = 0;
    if (fault === undefined) return { text, line };
    teller.lost({ file: path, line }, fault);
    return undefined;
  };
  for (let count = files.readNext(file, buffer); count > 0; count = files.readNext(file, buffer)) {
    const piece = buffer.toString('latin1', 0, count);
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      length += end - from;
      if (length <= longest) rest += piece.slice(from, end);
      from = end + 1;
      const found = finished();
      if (found !== undefined) yield found;
    }
    length += piece.length - from;
    if (length <= longest) rest += piece.slice(from);
  }
  if (length > 0) {
    const found = finished();
    if (found !== undefined) yield found;
  }
}

/** The lines of a small file of which nothing may be missing; nothing when there is no such file. */
export function controlLines(path: Clean, teller: Teller): readonly InputLine[] | undefined {
  if (files.stat(path) === undefined) return undefined;
  return [...inputLines(path, teller)];
}
