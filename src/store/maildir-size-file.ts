/**
 * The maildirsize file of maildir++ (Exim spec 26.7): a line with the quota, then a line for each delivery and removal.
 * It is believed as long as it is small, has the right quota, and does not say that the mailbox is full; else it is
 * made anew from the files, put into place whole.
 */

import * as clock from '../lib/clock.ts';
import { trim } from '../lib/octets.ts';
import { regex } from '../lib/regex.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, decimal, literal, pathOf, reviewed } from '../safe/taint.ts';
import { directorySize, type MailboxSize } from './mailbox-size.ts';

/** A file that is longer is made anew. */
const maximumSize = 5120;
/** Seconds for which a file is believed that says the mailbox is full. */
const trustWhenFull = 15 * 60;

export interface SizeFileRules {
  readonly quota: number;
  readonly fileCount: number;
  readonly mode: number;
  readonly sizeRegex: string | undefined;
  readonly directoryRegex: string;
}

function pathIn(directory: Clean): Clean {
  return pathOf(directory, literal('maildirsize'));
}

/** The sums of a file that can be believed, or nothing. */
function believe(text: string, modified: number, rules: SizeFileRules): MailboxSize | undefined {
  const [head = '', ...lines] = text.split('\n');
  const limits = new Map(head.split(',').map((part) => [part.slice(-1), Number(part.slice(0, -1))]));
  if ((limits.get('S') ?? 0) !== rules.quota || (limits.get('C') ?? 0) !== rules.fileCount) return undefined;
  let size = 0;
  let fileCount = 0;
  for (const line of lines) {
    if (trim(line) === '') continue;
    const found = /^[ \t-\r]*(-?\d+)[ \t-\r]+(-?\d+)[ \t-\r]*$/.exec(line);
    if (found === null) return undefined;
    size += Number(found[1]);
    fileCount += Number(found[2]);
  }
  if (size < 0 || fileCount < 0) return undefined;
  const full = (rules.quota > 0 && size > rules.quota) || (rules.fileCount > 0 && fileCount >= rules.fileCount);
  if (full && (lines.length > 2 || clock.now() - modified > trustWhenFull * 1000)) return undefined;
  return { size, fileCount };
}

/** Sums the directories of a maildir that the pattern lets count. */
function count(directory: Clean, rules: SizeFileRules): MailboxSize {
  const wanted = regex(rules.directoryRegex);
  let size = 0;
  let fileCount = 0;
  const add = (found: MailboxSize): void => {
    size += found.size;
    fileCount += found.fileCount;
  };
  for (const name of files.list(directory)) {
    if (!wanted.test(name)) continue;
    const path = pathOf(directory, reviewed(name, 'a name the directory itself holds'));
    if (!files.stat(path)?.isDirectory()) continue;
    if (name.startsWith('.')) {
      for (const part of [literal('cur'), literal('new')]) add(messagesIn(pathOf(path, part), rules));
    } else {
      add(messagesIn(path, rules));
    }
  }
  return { size, fileCount };
}

function messagesIn(directory: Clean, rules: SizeFileRules): MailboxSize {
  return directorySize(directory, rules.sizeRegex ?? ',S=(\\d+)');
}

let temporary = 0;

function write(directory: Clean, found: MailboxSize, rules: SizeFileRules): void {
  const beside = pathOf(
    directory,
    literal('tmp'),
    concat(
      decimal(clock.seconds()),
      literal('.P'),
      decimal(process.pid),
      literal('Q'),
      decimal(++temporary),
      literal('.maildirsize'),
    ),
  );
  const file = files.open(beside, files.createNew, rules.mode);
  try {
    files.setMode(file, rules.mode);
    files.write(file, `${rules.quota}S,${rules.fileCount}C\n${found.size} ${found.fileCount}\n`);
  } finally {
    files.close(file);
  }
  files.rename(beside, pathIn(directory));
}

/** What the maildir holds, by its size file, which is made if it is missing or not to be believed. */
export function ensureSizeFile(directory: Clean, rules: SizeFileRules): MailboxSize {
  const path = pathIn(directory);
  const found = files.stat(path);
  if (found?.isFile() && found.size <= maximumSize) {
    const believed = believe(files.readText(path, maximumSize), found.mtimeMs, rules);
    if (believed !== undefined) return believed;
  }
  const counted = count(directory, rules);
  write(directory, counted, rules);
  return counted;
}

/** Adds a line for a message that was delivered. */
export function noteInSizeFile(directory: Clean, size: number, mode: number): void {
  addLine(directory, { size, fileCount: 1 }, files.createOrAppend, mode);
}

/** Adds a line for messages that were removed, if there is such a file. */
export function noteRemoval(directory: Clean, { size, fileCount }: MailboxSize): void {
  if (files.stat(pathIn(directory)) === undefined) return;
  addLine(directory, { size: -size, fileCount: -fileCount }, files.readWrite | files.appending, 0);
}

function addLine(directory: Clean, { size, fileCount }: MailboxSize, flags: number, mode: number): void {
  const file = files.open(pathIn(directory), flags, mode);
  try {
    files.write(file, `${size} ${fileCount}\n`);
  } finally {
    files.close(file);
  }
}
