/**
 * A maildir as its reader sees it. The files of `new` and `cur` are the messages; nothing is locked, so a file may be
 * renamed or removed by somebody else at any moment, and is looked for by the part of its name that stays.
 */

import * as clock from '../lib/clock.ts';
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
import { inOrder, lastingName, seenName, tagged, uniqueIdOf } from './maildir-name.ts';
import { noteRemoval } from './maildir-size-file.ts';
import { KnownSizes, type Sizes } from './maildir-sizes.ts';
import { Pauses } from './pause.ts';
import { WireCount } from './wire.ts';

const parts = { new: literal('new'), cur: literal('cur') } as const;
type Part = keyof typeof parts;

interface Entry {
  part: Part;
  name: string;
}

interface Message extends Entry {
  /** The part of the name that stays. */
  readonly lasting: string;
  /** Octets of the file. */
  readonly size: number;
}

/** The message that is being read, kept open from one piece to the next. */
interface OpenMessage {
  readonly number: number;
  readonly file: files.Descriptor;
}

class Maildir implements Mailbox {
  readonly messages: Listed[] = [];
  readonly #directory: Clean;
  readonly #files: Message[] = [];
  readonly #known: KnownSizes;
  unreadable = 0;
  #reading: OpenMessage | undefined;
  #lookedAgain = 0;

  constructor(directory: Clean) {
    this.#directory = directory;
    this.#known = new KnownSizes(directory);
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
    const entries = inOrder(this.#entries().values());
    const buffer = Buffer.allocUnsafe(pieceSize);
    const pauses = new Pauses();
    if (entries.length > 0) await this.#known.load(pauses);
    for (const entry of entries) {
      const lasting = lastingName(entry.name);
      const sizes = this.#known.of(lasting) ?? (await this.#sizes(entry, buffer));
      if (sizes === 'unreadable') this.unreadable++;
      else if (sizes !== undefined) {
        this.#files.push({ ...entry, lasting, size: sizes.size });
        this.messages.push({ octets: sizes.octets, uniqueId: uniqueIdOf(lasting) });
      }
      await pauses.pause();
    }
    this.#known.save(this.#sizesNow(), this.#files.length);
  }

  *#sizesNow(): Generator<readonly [string, Sizes]> {
    for (const [number, { lasting, size }] of this.#files.entries()) {
      yield [lasting, { size, octets: this.messages[number]?.octets ?? 0 }];
    }
  }

  /** Nothing when it is no message, or is gone already. */
  async #sizes(entry: Entry, buffer: Buffer): Promise<Sizes | undefined | 'unreadable'> {
    const file = this.#open(entry);
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
      this.#known.count();
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
  #open(entry: Entry): files.Descriptor | undefined | 'unreadable' {
    try {
      return files.open(this.#path(entry), files.readOnly | files.noFollow);
    } catch (error) {
      const code = errorCode(error) ?? '';
      if (['EACCES', 'EPERM', 'EIO'].includes(code)) return 'unreadable';
      if (['ENOENT', 'ELOOP', 'ENXIO'].includes(code)) return undefined;
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
      const entry = entries.get(message.lasting);
      if (entry !== undefined) Object.assign(message, entry);
    }
  }

  async read(number: number, position: number): Promise<Piece> {
    const message = this.#files[number];
    const file = message === undefined ? undefined : this.#fileOf(number, message);
    if (message === undefined || file === undefined) return { outcome: 'gone' };
    const { size } = message;
    const length = Math.min(size - position, pieceSize);
    const octets = Buffer.allocUnsafe(Math.max(length, 0));
    const count = position === 0 ? files.readAt(file, octets, 0) : await files.readLater(file, octets, position);
    const isLast = position + count >= size;
    if (isLast || count === 0) this.#letGo();
    if (count === 0 && position < size) return { outcome: 'gone' };
    return { outcome: 'read', octets: octets.subarray(0, count), isLast };
  }

  /** The open file of a message, whatever its name is now; nothing when it is gone, or is not what it was. */
  #fileOf(number: number, message: Message): files.Descriptor | undefined {
    if (this.#reading?.number === number) return this.#reading.file;
    this.#letGo();
    let file = this.#open(message);
    if (file === undefined) {
      this.#lookAgain();
      file = this.#open(message);
    }
    if (typeof file !== 'number') return undefined;
    if (files.statOpen(file).size === message.size) {
      this.#reading = { number, file };
      return file;
    }
    files.close(file);
    this.#known.forget();
    return undefined;
  }

  #letGo(): void {
    if (this.#reading !== undefined) files.close(this.#reading.file);
    this.#reading = undefined;
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
    this.#letGo();
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
