/**
 * Finds the parts of a message, one after the other and with little memory, where Exim finds them (Exim spec 45.4): within
 * a multipart only its own boundary counts, and whatever begins with it is one.
 */

import { emptyMimeHeader, type MimeHeader, MimeHeaderLine } from './mime-header.ts';
import type { MimeLines } from './mime-lines.ts';

/** Multiparts within each other that are looked at; who sends more wants to hide something. */
const deepest = 200;

export interface MimePart {
  readonly header: MimeHeader;
  /** Its number in the message; the outermost is 0. */
  readonly number: number;
  readonly isCoverLetter: boolean;
  readonly isMultipart: boolean;
  /** Where its content begins in the file. */
  readonly start: number;
  /** The boundary that ends it; nothing for the outermost, which ends with the file. */
  readonly enclosing: string | undefined;
}

export type WalkEnd = 'all seen' | 'stopped' | 'too deep';

interface Level {
  readonly boundary: string;
  readonly isCoverLetter: boolean;
  /** Alternatives, and what belongs to a page: all of it is the cover letter when the whole is. */
  readonly isOne: boolean;
  seen: number;
}

/** Hands out the parts of the message that begins where `lines` stands, until `visit` answers false. */
export async function walkParts(
  lines: MimeLines,
  checkLength: boolean,
  visit: (part: MimePart) => Promise<boolean>,
): Promise<WalkEnd> {
  const levels: Level[] = [];
  let number = 0;
  const part = async (above: Level | undefined): Promise<WalkEnd | undefined> => {
    if (levels.length > deepest) return 'too deep';
    const header = await readHeader(lines, checkLength);
    const found: MimePart = {
      header,
      number: number++,
      isCoverLetter: above === undefined || (above.isCoverLetter && (above.isOne || above.seen === 0)),
      isMultipart: header.contentType.startsWith('multipart'),
      start: lines.at,
      enclosing: above?.boundary,
    };
    if (above !== undefined) above.seen++;
    if (!(await visit(found))) return 'stopped';
    lines.at = found.start;
    if (found.isMultipart && header.boundary !== '') levels.push(levelOf(found));
    return undefined;
  };
  let end = await part(undefined);
  for (let level = levels.at(-1); level !== undefined && end === undefined; level = levels.at(-1)) {
    const line = await nextBoundary(lines, level.boundary);
    if (line === undefined) return 'all seen';
    if (line.startsWith('--', level.boundary.length + 2)) levels.pop();
    else end = await part(level);
  }
  return end ?? 'all seen';
}

const levelOf = ({ header, isCoverLetter }: MimePart): Level => ({
  boundary: header.boundary,
  isCoverLetter,
  isOne: ['multipart/alternative', 'multipart/related'].includes(header.contentType),
  seen: 0,
});

async function nextBoundary(lines: MimeLines, boundary: string): Promise<string | undefined> {
  const mark = `--${boundary}`;
  let line = await lines.next();
  while (line !== undefined && !line.startsWith(mark)) line = await lines.next();
  return line;
}

/** Reads header lines up to the empty line. One that the file ends in does not count. */
async function readHeader(lines: MimeLines, checkLength: boolean): Promise<MimeHeader> {
  const header = emptyMimeHeader();
  let current: MimeHeaderLine | undefined;
  // the line before has not ended
  let isOpen = false;
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    if (isOpen) current?.push(line);
    else if (line === '\n' || (current !== undefined && !/^[ \t]/.test(line))) {
      current?.read(header, checkLength);
      if (line === '\n') return header;
      current = new MimeHeaderLine();
      current.push(line);
    } else {
      current ??= new MimeHeaderLine();
      current.push(/^[ \t]/.test(line) ? line.slice(1) : line);
    }
    isOpen = !line.endsWith('\n') || current?.isOpen === true;
  }
  return header;
}

/** The lines of a part's content, as they came. */
export async function* contentOf({ start, enclosing }: MimePart, lines: MimeLines): AsyncGenerator<string> {
  const mark = enclosing === undefined ? undefined : `--${enclosing}`;
  lines.at = start;
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    if (mark !== undefined && line.startsWith(mark)) return;
    yield line;
  }
}
