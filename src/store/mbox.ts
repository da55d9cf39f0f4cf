/**
 * A mailbox file (mbox) as its reader sees it.
 *
 * It is locked as deliveries lock it, but only for moments: to learn how long it is when it is opened, and for a commit.
 * In between it may grow, or be changed by anybody; then a message is read only when it is still the one that was listed.
 *
 * A commit finds the messages to be removed by their digests if the file has changed, so whatever else has come meanwhile
 * stays. The rest is written to a file beside the mailbox, synced and put in its place, so that a crash at any moment
 * leaves the old mailbox or the new one whole. When all that is left stands in front, the file is cut off there instead.
 * Programs that wait for the lock of the file alone, without a lock file, must look whether it still has its name when
 * they get it, as our own deliveries do.
 */

import { errorCode, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, literal } from '../safe/taint.ts';
import {
  type Changes,
  type Commit,
  type Listed,
  type Mailbox,
  type MailboxPlace,
  type Opened,
  type Piece,
  pieceSize,
  Room,
} from './mailbox.ts';
import { withLock } from './mailbox-lock.ts';
import { findMessages, isSameStamp, type Stamp, saveIndex } from './mbox-index.ts';
import { type MboxMessage, scanMbox } from './mbox-scan.ts';

/** Milliseconds to wait for the lock of a mailbox that is opened, and of one that is to be changed. */
const patience = { open: 10_000, commit: 60_000 };

/** A digest is followed by a number when there are several messages like it. */
function uniqueIds(found: readonly MboxMessage[]): string[] {
  const seen = new Map<string, number>();
  return found.map(({ digest }) => {
    const count = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, count);
    return count === 1 ? digest : `${digest}.${count}`;
  });
}

class Mbox implements Mailbox {
  readonly messages: readonly Listed[];
  readonly unreadable = 0;
  readonly #place: MailboxPlace;
  /** The file itself, where the place is a link to it. */
  readonly #path: Clean;
  readonly #file: files.Descriptor | undefined;
  readonly #found: readonly MboxMessage[];
  /** How the file was when it was read last, or when all was found as it had been. */
  readonly #stamp: Stamp;
  readonly #room = new Room();
  #verified: { readonly message: number; readonly stamp: Stamp } | undefined;

  constructor(
    place: MailboxPlace,
    path: Clean,
    file: files.Descriptor | undefined,
    found: readonly MboxMessage[],
    stamp: Stamp,
  ) {
    this.#place = place;
    this.#path = path;
    this.#file = file;
    this.#found = found;
    this.#stamp = stamp;
    const ids = uniqueIds(found);
    this.messages = found.map(({ octets }, number) => ({ octets, uniqueId: ids[number] ?? '' }));
  }

  async read(number: number, position: number): Promise<Piece> {
    const message = this.#found[number];
    if (message === undefined || this.#file === undefined) return { outcome: 'gone' };
    if (!(await this.#isThere(number, message, this.#file))) return { outcome: 'gone' };
    const octets = this.#room.of(Math.max(Math.min(message.size - position, pieceSize), 0));
    const place = message.start + position;
    const length =
      position === 0 ? files.readAt(this.#file, octets, place) : await files.readLater(this.#file, octets, place);
    if (length === 0 && position < message.size) return { outcome: 'gone' };
    return { outcome: 'read', octets: octets.subarray(0, length), isLast: position + length >= message.size };
  }

  /** Whether the message is where it was, as it was; looked at again when anything in the file has changed. */
  async #isThere(number: number, message: MboxMessage, file: files.Descriptor): Promise<boolean> {
    const now = files.statOpen(file);
    if (isSameStamp(now, this.#stamp)) return true;
    if (this.#verified?.message === number && isSameStamp(now, this.#verified.stamp)) return true;
    if (now.size < message.next) return false;
    const again = await scanMbox(file, message.next, message.from).catch(() => []);
    if (again.length !== 1 || again[0]?.digest !== message.digest) return false;
    this.#verified = { message: number, stamp: now };
    return true;
  }

  async commit({ removed }: Changes): Promise<Commit> {
    const left = this.#found.length - removed.length;
    if (removed.length === 0) return { outcome: 'done', left };
    try {
      const outcome = await withLock(this.#place, patience.commit, (file) => this.#remove(removed, file));
      if (outcome.outcome === 'locked') {
        return { outcome: 'failed', message: `mailbox ${this.#place.path} is locked by somebody else` };
      }
      return { outcome: 'done', left };
    } catch (error) {
      return { outcome: 'failed', message: `mailbox ${this.#place.path}: ${errorText(error)}` };
    }
  }

  /** Removes messages from a file that is locked. */
  async #remove(removed: readonly number[], file: files.Descriptor): Promise<void> {
    const found = files.statOpen(file);
    const [first] = this.#found;
    const isSame = this.#file !== undefined && isSameStamp(found, this.#stamp);
    const present = isSame ? this.#found : await scanMbox(file, found.size);
    const gone = isSame
      ? new Set(removed)
      : stillPresent(
          removed.map((number) => this.#found[number]?.digest ?? ''),
          present,
        );
    const head = isSame ? (first?.from ?? 0) : (present[0]?.from ?? 0);
    const ranges: Range[] = [{ from: 0, to: head }];
    for (const [number, { from, next }] of present.entries()) {
      if (!gone.has(number)) ranges.push({ from, to: next });
    }
    ranges.push({ from: present.at(-1)?.next ?? 0, to: found.size });
    const kept = joined(ranges);
    const [only] = kept;
    if (kept.length === 0 || (kept.length === 1 && only?.from === 0)) {
      files.truncate(file, only?.to ?? 0);
      await files.sync(file);
      this.#index(files.statOpen(file), head, present, gone);
      return;
    }
    this.#index(await replaceBy(this.#path, kept, file, found), head, present, gone);
  }

  /** Keeps where the messages stand that are left. */
  #index(stamp: Stamp, head: number, present: readonly MboxMessage[], gone: ReadonlySet<number>): void {
    let at = head;
    const left: MboxMessage[] = [];
    for (const [number, message] of present.entries()) {
      if (gone.has(number)) continue;
      const shift = message.from - at;
      left.push({ ...message, from: at, start: message.start - shift, next: message.next - shift });
      at = message.next - shift;
    }
    // what stands behind the messages that were looked at is not known
    if (at === stamp.size || left.length === 0) saveIndex(this.#path, stamp, left);
  }

  close(): void {
    if (this.#file !== undefined) files.close(this.#file);
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Ranges that touch are one; empty ones are none. */
function joined(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const range of ranges) {
    const last = all.at(-1);
    if (range.from >= range.to) continue;
    if (last !== undefined && last.to === range.from) all.splice(-1, 1, { from: last.from, to: range.to });
    else all.push(range);
  }
  return all;
}

/** The places of messages with these digests; as many of each as are asked for. */
function stillPresent(digests: readonly string[], present: readonly MboxMessage[]): Set<number> {
  const wanted = new Map<string, number>();
  for (const digest of digests) wanted.set(digest, (wanted.get(digest) ?? 0) + 1);
  const found = new Set<number>();
  for (const [number, { digest }] of present.entries()) {
    const count = wanted.get(digest) ?? 0;
    if (count === 0) continue;
    wanted.set(digest, count - 1);
    found.add(number);
  }
  return found;
}

/** Puts a file with these parts of the mailbox in its place, with its owner and permissions; answers how it is then. */
async function replaceBy(
  path: Clean,
  kept: readonly Range[],
  file: files.Descriptor,
  { mode, gid, uid }: files.Stats,
): Promise<Stamp> {
  const beside = concat(path, literal('.pop3'));
  // one that is there was left by a crash: whoever has the lock is the only one who makes it
  files.removeIfPossible(beside);
  const copy = files.open(beside, files.createNew, 0o600);
  let stamp: Stamp;
  try {
    const own = files.statOpen(copy);
    if (own.gid !== gid || own.uid !== uid) files.setOwner(copy, uid, gid);
    files.setMode(copy, mode & 0o7777);
    const buffer = Buffer.allocUnsafe(4 * pieceSize);
    for (const { from, to } of kept) {
      for (let at = from; at < to; ) {
        const count = await files.readLater(file, buffer.subarray(0, Math.min(buffer.length, to - at)), at);
        if (count === 0) throw new Error('the mailbox became shorter while it was locked');
        await files.writeLater(copy, buffer.subarray(0, count));
        at += count;
      }
    }
    await files.sync(copy);
    stamp = files.statOpen(copy);
    files.rename(beside, path);
  } catch (error) {
    files.removeIfPossible(beside);
    throw error;
  } finally {
    files.close(copy);
  }
  await files.syncDirectory(files.parentOf(path) ?? literal('.'));
  return stamp;
}

/** A file that is not there is an empty mailbox. */
export async function openMbox(place: MailboxPlace): Promise<Opened> {
  const { path } = place;
  const failed = (message: string, lasting = false): Opened => ({
    outcome: 'failed',
    message: `mailbox ${path}: ${message}`,
    lasting,
  });
  let file: files.Descriptor | undefined;
  try {
    const target = fileBehind(place);
    if ('problem' in target) return failed(target.problem, true);
    const stamp = await withLock(place, patience.open, async (locked): Promise<Stamp> => {
      file = files.open(target.path, files.readOnly | files.noFollow);
      return files.statOpen(locked);
    });
    if (stamp.outcome === 'missing') {
      return { outcome: 'opened', mailbox: new Mbox(place, path, undefined, [], nothing) };
    }
    if (stamp.outcome === 'locked') return { outcome: 'in use', message: `mailbox ${path} is locked by somebody else` };
    if (file === undefined) return failed('it cannot be opened');
    const found = await findMessages(target.path, file, stamp.value);
    const mailbox = new Mbox(place, target.path, file, found, stamp.value);
    file = undefined;
    return { outcome: 'opened', mailbox };
  } catch (error) {
    return failed(errorText(error), errorCode(error) === 'EACCES');
  } finally {
    if (file !== undefined) files.close(file);
  }
}

/** The file of a mailbox; a symbolic link stands for it only where the transport allows that. */
function fileBehind({ path, allowSymlink }: MailboxPlace): { readonly path: Clean } | { readonly problem: string } {
  const link = files.linkStat(path);
  if (link === undefined || link.isFile()) return { path };
  if (!link.isSymbolicLink()) return { problem: 'it is not a regular file' };
  if (!allowSymlink) return { problem: 'it is a symbolic link, and allow_symlink is not set' };
  const behind = files.realPath(path);
  return files.linkStat(behind)?.isFile() === true ? { path: behind } : { problem: 'it is not a regular file' };
}

const nothing: Stamp = { ino: 0, size: 0, mtimeMs: 0 };
