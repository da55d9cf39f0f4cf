/**
 * A maildir as its reader sees it. The files of `new` and `cur` are the messages; nothing is locked, so a file may be
 * renamed or removed by somebody else at any moment, and is looked for by the part of its name that stays.
 */

import * as clock from '../lib/clock.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import {
  type Changes,
  type Commit,
  type Listed,
  type Mailbox,
  type Opened,
  type Piece,
  pieceSize,
  Room,
} from './mailbox.ts';
import { entriesOf, forgetMaildir, listMaildir, type Message, messagePath, openMessage } from './maildir-list.ts';
import type { Listing } from './maildir-listings.ts';
import { seenName, tagged } from './maildir-name.ts';
import { noteRemoval } from './maildir-size-file.ts';
import { Pauses } from './pause.ts';

/** The message that is being read, kept open from one piece to the next. */
interface OpenMessage {
  readonly number: number;
  readonly file: files.Descriptor;
}

class Maildir implements Mailbox {
  readonly messages: readonly Listed[];
  readonly unreadable: number;
  readonly #directory: Clean;
  readonly #files: readonly Message[];
  #reading: OpenMessage | undefined;
  #lookedAgain = 0;
  readonly #room = new Room();

  constructor(directory: Clean, { files: found, messages, unreadable }: Listing<Message>) {
    this.#directory = directory;
    this.#files = found;
    this.messages = messages;
    this.unreadable = unreadable;
  }

  /** Looks where files are now; the directories are not read more often than once in a second. */
  #lookAgain(): void {
    const now = clock.elapsed();
    if (this.#lookedAgain > 0 && now - this.#lookedAgain < 1000) return;
    this.#lookedAgain = now;
    const entries = entriesOf(this.#directory);
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
    const octets = this.#room.of(Math.max(length, 0));
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
    let file = openMessage(this.#directory, message);
    if (file === undefined) {
      this.#lookAgain();
      file = openMessage(this.#directory, message);
    }
    if (typeof file !== 'number') return undefined;
    if (files.statOpen(file).size === message.size) {
      this.#reading = { number, file };
      return file;
    }
    files.close(file);
    forgetMaildir(this.#directory);
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
          problems.push(`${messagePath(this.#directory, message)}: ${errorText(error)}`);
        }
        await pauses.pause();
      }
      return missing;
    };
    const remove = (message: Message): boolean => {
      if (!files.remove(messagePath(this.#directory, message))) return false;
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
      files.rename(messagePath(this.#directory, message), messagePath(this.#directory, { part: 'cur', name }));
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
  }
}

/** A directory that is not there yet is an empty mailbox: nothing was delivered so far. */
export async function openMaildir(directory: Clean): Promise<Opened> {
  try {
    return { outcome: 'opened', mailbox: new Maildir(directory, await listMaildir(directory)) };
  } catch (error) {
    return { outcome: 'failed', message: `maildir ${directory}: ${errorText(error)}`, lasting: false };
  }
}
