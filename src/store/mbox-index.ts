/**
 * Where the messages of a large mailbox file stand, kept in a file beside it (`.NAME.tabella-index`), so that it need not
 * be read whole each time it is opened.
 *
 * It is believed when the mailbox is as it was, by its inode, size and time. When it has only grown, and each message
 * known still begins where it did, what is new is read from the last known message on. In all other cases, and when
 * the index cannot be written, the mailbox is read whole. A commit that finds the mailbox changed goes by what it reads,
 * never by the index.
 */

import * as files from '../safe/files.ts';
import { type Clean, concat, literal, pathOf, reviewed } from '../safe/taint.ts';
import { mostMessages } from './mailbox.ts';
import { type MboxMessage, scanMbox } from './mbox-scan.ts';
import { Pauses } from './pause.ts';

/** How a mailbox file was. */
export interface Stamp {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

export const isSameStamp = (one: Stamp, other: Stamp): boolean =>
  one.ino === other.ino && one.size === other.size && one.mtimeMs === other.mtimeMs;

/** Octets of a mailbox from which on an index is worth it. */
const worthwhile = 1024 * 1024;
/** Octets of an index that are believed. */
const longest = mostMessages * 100;

function indexOf(mailbox: Clean): Clean {
  const name = reviewed(mailbox.slice(mailbox.lastIndexOf('/') + 1), 'the last part of a clean path');
  return pathOf(files.parentOf(mailbox) ?? literal(''), concat(literal('.'), name, literal('.tabella-index')));
}

const heading = ({ ino, size, mtimeMs }: Stamp): string => `tabella mbox 1 ${ino} ${size} ${mtimeMs}`;

interface Kept {
  readonly stamp: Stamp;
  readonly messages: readonly MboxMessage[];
}

const row = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15}) ([\w-]{22})$/;

/** What the index of a mailbox says; nothing when there is none, or any part of it makes no sense. */
async function load(mailbox: Clean, pauses: Pauses): Promise<Kept | undefined> {
  let text: string;
  try {
    text = files.readText(indexOf(mailbox), longest);
  } catch {
    return undefined;
  }
  const [first = '', ...lines] = text.split('\n');
  const found = /^tabella mbox 1 (\d{1,20}) (\d{1,15}) (\d{1,15}(?:\.\d{1,10})?)$/.exec(first);
  if (found === null || lines.pop() !== '') return undefined;
  const stamp = { ino: Number(found[1]), size: Number(found[2]), mtimeMs: Number(found[3]) };
  const messages: MboxMessage[] = [];
  let behind: number | undefined;
  for (const line of lines) {
    const [, ...values] = row.exec(line) ?? [];
    const [from = -1, start = -1, next = -1, size = -1, octets = -1] = values.slice(0, 5).map(Number);
    const follows = behind === undefined || behind === from;
    // an empty line may stand behind the message, and each of its line ends may grow by an octet
    const emptyLine = next - start - size;
    const fits = emptyLine >= 0 && emptyLine <= 2 && octets >= size && octets <= 2 * size + 2;
    if (!follows || !fits || from < 0 || start < from || next > stamp.size) return undefined;
    messages.push({ from, start, next, size, octets, digest: values[5] ?? '' });
    behind = next;
    await pauses.pause();
  }
  return { stamp, messages };
}

const beginning = Buffer.from('\nFrom ');

/** Whether messages begin where they did. */
async function beginThere(file: files.Descriptor, messages: readonly MboxMessage[], pauses: Pauses): Promise<boolean> {
  const octets = Buffer.allocUnsafe(beginning.length);
  for (const { from } of messages) {
    const wanted = from === 0 ? beginning.subarray(1) : beginning;
    const found = octets.subarray(0, wanted.length);
    if (files.readAt(file, found, from === 0 ? 0 : from - 1) < wanted.length || !found.equals(wanted)) return false;
    await pauses.pause();
  }
  return true;
}

/** The messages of an open mailbox file of which the index is kept. @throws as `scanMbox` does */
export async function findMessages(mailbox: Clean, file: files.Descriptor, stamp: Stamp): Promise<MboxMessage[]> {
  if (stamp.size < worthwhile) return scanMbox(file, stamp.size);
  const pauses = new Pauses();
  const kept = await load(mailbox, pauses);
  if (kept !== undefined && isSameStamp(kept.stamp, stamp)) return [...kept.messages];
  const last = kept?.messages.at(-1);
  const hasGrown = kept !== undefined && kept.stamp.ino === stamp.ino && kept.stamp.size < stamp.size;
  const found =
    last !== undefined && hasGrown && (await beginThere(file, kept?.messages ?? [], pauses))
      ? [...(kept?.messages.slice(0, -1) ?? []), ...(await scanMbox(file, stamp.size, last.from))]
      : await scanMbox(file, stamp.size);
  saveIndex(mailbox, stamp, found);
  return found.slice(0, mostMessages);
}

/** Keeps where the messages of a mailbox stand; of a small one nothing is kept. */
export function saveIndex(mailbox: Clean, stamp: Stamp, messages: readonly MboxMessage[]): void {
  const index = indexOf(mailbox);
  if (stamp.size < worthwhile || messages.length >= mostMessages) {
    files.removeIfPossible(index);
    return;
  }
  const rows = messages.map(
    ({ from, start, next, size, octets, digest }) => `${from} ${start} ${next} ${size} ${octets} ${digest}\n`,
  );
  const beside = concat(index, literal('.new'));
  // one that is there was left by a crash
  files.removeIfPossible(beside);
  try {
    const file = files.open(beside, files.createNew, 0o600);
    try {
      files.write(file, `${heading(stamp)}\n${rows.join('')}`);
    } finally {
      files.close(file);
    }
    files.rename(beside, index);
  } catch {
    // a full disk, or no right to write there: the next reader reads it all
    files.removeIfPossible(beside);
  }
}
