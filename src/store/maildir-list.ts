/**
 * Which messages a maildir has: the files of `new` and `cur`, in the order of delivery, with their sizes as they are and
 * as they are sent.
 */

import { errorCode } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';
import { type Listed, mostMessages, pieceSize } from './mailbox.ts';
import { type Listing, Listings } from './maildir-listings.ts';
import { inOrder, lastingName, tagged, uniqueIdOf } from './maildir-name.ts';
import { KnownSizes, type Sizes } from './maildir-sizes.ts';
import { Pauses } from './pause.ts';
import { WireCount } from './wire.ts';

const parts = { new: literal('new'), cur: literal('cur') } as const;
type Part = keyof typeof parts;

export interface Entry {
  part: Part;
  name: string;
}

/** It changes with the file when that is moved or renamed. */
export interface Message extends Entry {
  /** The part of the name that stays. */
  readonly lasting: string;
  /** Octets of the file. */
  readonly size: number;
}

export function messagePath(directory: Clean, { part, name }: Entry): Clean {
  return pathOf(directory, parts[part], reviewed(name, 'a name the directory itself holds'));
}

/** Opens a message; nothing when there is no such file, or it cannot be one. */
export function openMessage(directory: Clean, entry: Entry): files.Descriptor | undefined | 'unreadable' {
  try {
    return files.open(messagePath(directory, entry), files.readOnly | files.noFollow);
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (['EACCES', 'EPERM', 'EIO'].includes(code)) return 'unreadable';
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(code)) return undefined;
    throw error;
  }
}

/** The files that are there; one that is moved from `new` to `cur` meanwhile is listed once. */
export function entriesOf(directory: Clean): Map<string, Entry> {
  const found = new Map<string, Entry>();
  for (const part of ['new', 'cur'] as const) {
    try {
      for (const name of files.list(pathOf(directory, parts[part]))) {
        if (name.startsWith('.')) continue;
        found.set(lastingName(name), { part, name });
        if (found.size >= mostMessages) break;
      }
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
  return found;
}

const listings = new Listings<Message>();

/** The messages that are there now. @throws the system's errors */
export function listMaildir(directory: Clean): Promise<Listing<Message>> {
  const both = [pathOf(directory, parts.new), pathOf(directory, parts.cur)];
  return listings.of(directory, both, () => list(directory));
}

/** Forgets what is known about the messages of a maildir: some of it was wrong. */
export function forgetMaildir(directory: Clean): void {
  listings.forget(directory);
  new KnownSizes(directory).forget();
}

async function list(directory: Clean): Promise<Listing<Message>> {
  const entries = inOrder(entriesOf(directory).values());
  const known = new KnownSizes(directory);
  const pauses = new Pauses();
  const found: Message[] = [];
  const messages: Listed[] = [];
  let unreadable = 0;
  if (entries.length > 0) await known.load(pauses);
  const buffer = Buffer.allocUnsafe(entries.length > 0 ? pieceSize : 0);
  for (const entry of entries) {
    const lasting = lastingName(entry.name);
    const sizes = known.of(lasting) ?? (await sizesOf(directory, entry, known, buffer));
    if (sizes === 'unreadable') unreadable++;
    else if (sizes !== undefined) {
      found.push({ ...entry, lasting, size: sizes.size });
      messages.push({ octets: sizes.octets, uniqueId: uniqueIdOf(lasting) });
    }
    await pauses.pause();
  }
  known.save(
    found.map(({ lasting, size }, number) => [lasting, { size, octets: messages[number]?.octets ?? 0 }] as const),
    found.length,
  );
  return { files: found, messages, unreadable };
}

/** Nothing when it is no message, or is gone already. */
async function sizesOf(
  directory: Clean,
  entry: Entry,
  known: KnownSizes,
  buffer: Buffer,
): Promise<Sizes | undefined | 'unreadable'> {
  const file = openMessage(directory, entry);
  if (typeof file !== 'number') return file;
  try {
    const found = files.statOpen(file);
    if (!found.isFile()) return undefined;
    const { size } = found;
    const told = tagged(entry.name, 'W');
    // a tag is believed when the size of the file agrees with the other one
    if (told !== undefined && tagged(entry.name, 'S') === size && told >= size && told <= 2 * size + 2) {
      return { size, octets: told };
    }
    known.count();
    const count = new WireCount();
    for (let at = 0; at < size; ) {
      const piece = buffer.subarray(0, Math.min(size - at, buffer.length));
      // the first piece is most often the only one
      const length = at === 0 ? files.readAt(file, piece, 0) : await files.readLater(file, piece, at);
      if (length === 0) return undefined;
      count.take(piece.subarray(0, length));
      at += length;
    }
    return { size, octets: count.octets };
  } finally {
    files.close(file);
  }
}
