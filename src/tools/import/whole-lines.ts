/** The lines of an open file from its beginning, each with its LF; the last one may have none. */

import * as files from '../../safe/files.ts';
import { Unreadable } from './record.ts';

const pieceSize = 256 * 1024;

/** @throws Unreadable for a line of more than `longest` octets */
export function* wholeLines(file: files.Descriptor, longest: number): Generator<string> {
  const buffer = Buffer.allocUnsafe(pieceSize);
  let rest = '';
  let position = 0;
  for (let count = files.readAt(file, buffer, 0); count > 0; count = files.readAt(file, buffer, position)) {
    position += count;
    rest += buffer.toString('latin1', 0, count);
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      yield rest.slice(from, end + 1);
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > longest) throw new Unreadable(`a line is longer than ${longest} octets; this is no table`);
  }
  if (rest !== '') yield rest;
}
