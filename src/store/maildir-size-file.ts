/**
 * The maildirsize file of maildir++ (Exim spec 26.7): a line with the quota, then a line for each delivery and removal.
 * It is believed as long as it is small, has the right quota, and does not say that the mailbox is full; else it is
 * made anew from the files, put into place whole.
 */

import * as clock from '../lib/clock.ts';
import { trim } from '../lib/octets.ts';
import { regex } from '../lib/regex.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';
import { directorySize, type MailboxSize } from './mailbox-size.ts';
import { putIntoMaildir } from './maildir-temporary.ts';

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

const sizeFile = literal('maildirsize');

/** Where the size file of a maildir is. */
export function sizeFileOf(directory: Clean): Clean {
  return pathOf(directory, sizeFile);
}

/** What such a file says: the limits, 0 for none, and the sums of its lines, which removals may have made negative. */
export interface SizeFileContent extends MailboxSize {
  readonly quota: number;
  readonly fileQuota: number;
  /** How many lines were summed. */
  readonly lines: number;
}

/** Takes a size file apart; nothing when it is none. */
export function parseSizeFile(text: string): SizeFileContent | undefined {
  const [head = '', ...lines] = text.split('\n');
  if (!/^\d{1,15}[A-Z](?:,\d{1,15}[A-Z])*$/.test(trim(head))) return undefined;
  const limits = new Map(
    trim(head)
      .split(',')
      .map((part) => [part.slice(-1), Number(part.slice(0, -1))]),
  );
  let size = 0;
  let fileCount = 0;
  let count = 0;
  for (const line of lines) {
    if (trim(line) === '') continue;
    const found = /^[ \t-\r]*(-?\d{1,15})[ \t-\r]+(-?\d{1,15})[ \t-\r]*$/.exec(line);
    if (found === null) return undefined;
    size += Number(found[1]);
    fileCount += Number(found[2]);
    count++;
  }
  return { quota: limits.get('S') ?? 0, fileQuota: limits.get('C') ?? 0, size, fileCount, lines: count };
}

/** The sums of a file that can be believed, or nothing. */
function believe(text: string, modified: number, rules: SizeFileRules): MailboxSize | undefined {
  const said = parseSizeFile(text);
  if (said === undefined || said.quota !== rules.quota || said.fileQuota !== rules.fileCount) return undefined;
  const { size, fileCount, lines } = said;
  if (size < 0 || fileCount < 0) return undefined;
  const full = (rules.quota > 0 && size > rules.quota) || (rules.fileCount > 0 && fileCount >= rules.fileCount);
  if (full && (lines > 1 || clock.now() - modified > trustWhenFull * 1000)) return undefined;
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

function write(directory: Clean, found: MailboxSize, rules: SizeFileRules): void {
  const text = `${rules.quota}S,${rules.fileCount}C\n${found.size} ${found.fileCount}\n`;
  putIntoMaildir(directory, sizeFile, text, rules.mode);
}

/** What the maildir holds, by its size file, which is made if it is missing or not to be believed. */
export function ensureSizeFile(directory: Clean, rules: SizeFileRules): MailboxSize {
  const path = sizeFileOf(directory);
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

/** Adds a line for messages that were removed from a maildir or a folder of one, if there is such a file. */
export function noteRemoval(folder: Clean, { size, fileCount }: MailboxSize): void {
  if (fileCount === 0) return;
  const directory = mailboxWith(folder);
  if (files.stat(sizeFileOf(directory)) === undefined) return;
  addLine(directory, { size: -size, fileCount: -fileCount }, files.readWrite | files.appending, 0);
}

/** The maildir that a folder belongs to, by its mark or by its name: a dot in front, and the sums beside it. */
function mailboxWith(folder: Clean): Clean {
  const above = files.parentOf(folder);
  if (above === undefined) return folder;
  if (files.stat(pathOf(folder, literal('maildirfolder'))) !== undefined) return above;
  const isFolder = folder.slice(above.length + 1).startsWith('.') && files.stat(sizeFileOf(above)) !== undefined;
  return isFolder ? above : folder;
}

function addLine(directory: Clean, { size, fileCount }: MailboxSize, flags: number, mode: number): void {
  const file = files.open(sizeFileOf(directory), flags, mode);
  try {
    files.write(file, `${size} ${fileCount}\n`);
  } finally {
    files.close(file);
  }
}
