/**
 * A maildir as its reader sees it. The files of `new` and `cur` are the messages; nothing is locked, so a file may be
 * renamed or removed by somebody else at any moment, and is looked for by the part of its name that stays.
 */

import * as clock from '../lib/clock.ts';
import { crypto } from '../lib/crypto.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';
import {
  type Changes,
  type Commit,
  type Listed,
  type Mailbox,
  mostMessages,
  type Opened,
  type Piece,
  pieceSize,
} from './mailbox.ts';
import { noteRemoval } from './maildir-size-file.ts';
import { Pauses } from './pause.ts';
import { WireCount } from './wire.ts';

const parts = { new: literal('new'), cur: literal('cur') } as const;
type Part = keyof typeof parts;

interface Entry {
  part: Part;
  name: string;
}

interface Message extends Entry {
  /** Octets of the file. */
  readonly size: number;
}

/** The part of a name that stays when flags are set. */
function lastingName(name: string): string {
  const info = name.lastIndexOf(':2,');
  return info <= 0 ? name : name.slice(0, info);
}

/** The lasting name itself, when it can be sent; else a digest of it (RFC 1939, UIDL). */
function uniqueIdOf(name: string): string {
  const lasting = lastingName(name);
  if (/^[!-~]{1,70}$/.test(lasting)) return lasting;
  return `=${crypto().createHash('sha256').update(lasting, 'latin1').digest('base64url')}`;
}

/** Files in the order in which they were delivered: by the time in the name, down to microseconds. */
function inOrder(a: Entry, b: Entry): number {
  const [earlier, later] = [timeOf(a.name), timeOf(b.name)];
  if (earlier.seconds !== later.seconds) return earlier.seconds - later.seconds;
  if (earlier.micro !== later.micro) return earlier.micro - later.micro;
  return a.name < b.name ? -1 : 1;
}

function timeOf(name: string): { readonly seconds: number; readonly micro: number } {
  const found = /^(\d{1,15})\.(?:M(\d{1,7}))?/.exec(name);
  return { seconds: Number(found?.[1] ?? Number.MAX_SAFE_INTEGER), micro: Number(found?.[2] ?? 0) };
}

const tagged = (name: string, letter: 'S' | 'W'): number | undefined => {
  const found = (letter === 'S' ? /,S=(\d{1,15})(?=[,:]|$)/ : /,W=(\d{1,15})(?=[,:]|$)/).exec(name);
  return found === null ? undefined : Number(found[1]);
};

/** A name with the flag that says the message was seen. */
function seenName(name: string): string {
  const lasting = lastingName(name);
  const flags = new Set(name.slice(lasting.length + ':2,'.length));
  return `${lasting}:2,${[...flags.add('S')].sort().join('')}`;
}

class Maildir implements Mailbox {
  readonly messages: Listed[] = [];
  readonly #directory: Clean;
  readonly #files: Message[] = [];
  #lookedAgain = 0;

  constructor(directory: Clean) {
    this.#directory = directory;
  }

  #path({ part, name }: Entry): Clean {
    return pathOf(this.#directory, parts[part], reviewed(name, 'a name the directory itself holds'));
  }

  /** The files that are there; one that is moved from `new` to `cur` meanwhile is listed once. */
  #entries(): Map<string, Entry> {
    const found = new Map<string, Entry>();
    for (const part of ['new', 'cur'] as const) {
      try {
        for (const name of files.list(pathOf(this.#directory, parts[part]))) {
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

  async list(): Promise<void> {
    const entries = [...this.#entries().values()].sort(inOrder);
    const buffer = Buffer.allocUnsafe(pieceSize);
    const pauses = new Pauses();
    for (const entry of entries) {
      const sizes = await this.#sizes(entry, buffer);
      if (sizes !== undefined) {
        this.#files.push({ ...entry, size: sizes.size });
        this.messages.push({ octets: sizes.octets, uniqueId: uniqueIdOf(entry.name) });
      }
      await pauses.pause();
    }
  }

  /** Nothing when it is no message, or is gone already. */
  async #sizes(entry: Entry, buffer: Buffer): Promise<{ readonly size: number; readonly octets: number } | undefined> {
    const file = this.#open(entry);
    if (file === undefined) return undefined;
    try {
      const found = files.statOpen(file);
      if (!found.isFile()) return undefined;
      const { size } = found;
      const told = tagged(entry.name, 'W');
      // a tag is believed when the size of the file agrees with the other one
      if (told !== undefined && tagged(entry.name, 'S') === size && told >= size && told <= 2 * size + 2) {
        return { size, octets: told };
      }
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

  /** Opens a message; nothing when there is no such file, or it cannot be one. */
  #open(entry: Entry): files.Descriptor | undefined {
    try {
      return files.open(this.#path(entry), files.readOnly | files.noFollow);
    } catch (error) {
      if (['ENOENT', 'ELOOP', 'EACCES', 'ENXIO'].includes(errorCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  /** Looks where files are now; the directories are not read more often than once in a second. */
  #lookAgain(): void {
    const now = clock.elapsed();
    if (this.#lookedAgain > 0 && now - this.#lookedAgain < 1000) return;
    this.#lookedAgain = now;
    const entries = this.#entries();
    for (const message of this.#files) {
      const entry = entries.get(lastingName(message.name));
      if (entry !== undefined) Object.assign(message, entry);
    }
  }

  async read(number: number, position: number): Promise<Piece> {
    const message = this.#files[number];
    if (message === undefined) return { outcome: 'gone' };
    let file = this.#open(message);
    if (file === undefined) {
      this.#lookAgain();
      file = this.#open(message);
    }
    if (file === undefined) return { outcome: 'gone' };
    try {
      const { size } = message;
      if (files.statOpen(file).size !== size) return { outcome: 'gone' };
      const octets = Buffer.allocUnsafe(Math.max(Math.min(size - position, pieceSize), 0));
      const length = position === 0 ? files.readAt(file, octets, 0) : await files.readLater(file, octets, position);
      if (length === 0 && position < size) return { outcome: 'gone' };
      return { outcome: 'read', octets: octets.subarray(0, length), isLast: position + length >= size };
    } finally {
      files.close(file);
    }
  }

  async commit({ removed, seen }: Changes): Promise<Commit> {
    const pauses = new Pauses();
    const problems: string[] = [];
    const sum = { size: 0, fileCount: 0 };
    const left = new Set(this.#files.keys());
    const each = async (numbers: readonly number[], act: (message: Message) => boolean): Promise<number[]> => {
      const missing: number[] = [];
      for (const number of numbers) {
        const message = this.#files[number];
        if (message === undefined) continue;
        try {
          if (!act(message)) missing.push(number);
        } catch (error) {
          problems.push(`${this.#path(message)}: ${errorText(error)}`);
        }
        await pauses.pause();
      }
      return missing;
    };
    const remove = (message: Message): boolean => {
      if (!files.remove(this.#path(message))) return false;
      sum.size += tagged(message.name, 'S') ?? message.size;
      sum.fileCount++;
      return true;
    };
    const missing = await each(removed, remove);
    if (missing.length > 0) {
      this.#lookedAgain = 0;
      this.#lookAgain();
      await each(missing, remove);
    }
    await each(seen, (message) => this.#markSeen(message));
    for (const number of removed) left.delete(number);
    this.#note(sum);
    const [problem] = problems;
    if (problem === undefined) return { outcome: 'done', left: left.size };
    return { outcome: 'failed', message: `${problems.length} messages could not be changed, the first ${problem}` };
  }

  /** A message that was read belongs into `cur`. */
  #markSeen(message: Message): boolean {
    const name = seenName(message.name);
    if (message.part === 'cur' && message.name === name) return true;
    try {
      files.rename(this.#path(message), this.#path({ part: 'cur', name }));
    } catch (error) {
      // somebody else has it; that a message was seen is not worth looking for it
      if (errorCode(error) !== 'ENOENT') throw error;
    }
    return true;
  }

  #note(sum: { readonly size: number; readonly fileCount: number }): void {
    try {
      noteRemoval(this.#directory, sum);
    } catch {
      // who delivers next finds the sum wrong when the mailbox seems full, and makes it anew
    }
  }

  close(): void {
    this.#files.length = 0;
  }
}

/** A directory that is not there yet is an empty mailbox: nothing was delivered so far. */
export async function openMaildir(directory: Clean): Promise<Opened> {
  try {
    const maildir = new Maildir(directory);
    await maildir.list();
    return { outcome: 'opened', mailbox: maildir };
  } catch (error) {
    return { outcome: 'failed', message: `maildir ${directory}: ${errorText(error)}`, lasting: false };
  }
}
