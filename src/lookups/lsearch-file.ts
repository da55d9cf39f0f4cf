/**
 * Opened text files of the `lsearch` family. A small file is read when it is opened; of a large one nothing is kept, and
 * what a driver wants to know of all its entries is found out once, in pieces between which other work goes on.
 */

import type { Context } from '../expand/context.ts';
import { errorText } from '../lib/errno.ts';
import { type Eventual, lastly, then } from '../lib/eventual.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import { type Found, type LookupOptions, LookupProblem, type Table } from './lookup.ts';
import { type Entry, EntryFinder, keyOfLine, longestKeyLine, readEntry } from './lsearch-text.ts';

/** Files up to this size are kept in memory. */
const small = 256 * 1024;
const pieceSize = 1024 * 1024;
const longestEntry = 16 * 1024 * 1024;
/** Enough for most entries, so that they need one read. */
const usualEntry = 1024;

/** For what is made into text at once. */
const scratch = Buffer.alloc(longestKeyLine);

/** Called for each entry of a file: its first line lies in `piece` from `start` to `end`, and in the file at `place`. */
export type Visit = (piece: Buffer, start: number, end: number, place: number) => void;

export class LsearchFile {
  readonly name: Clean;
  readonly #file: files.Descriptor;
  readonly #size: number;
  readonly #text: Buffer | undefined;
  #users = 0;
  #closed = false;

  constructor(name: Clean) {
    this.name = name;
    this.#file = files.open(name);
    try {
      const status = files.statOpen(this.#file);
      if (!status.isFile()) throw new LookupProblem(`${name} is not a regular file (lsearch lookup)`);
      this.#size = status.size;
      this.#text = this.#size > small ? undefined : this.#readInto(Buffer.allocUnsafeSlow(this.#size), 0);
    } catch (error) {
      files.close(this.#file);
      throw error;
    }
    if (this.#text !== undefined) files.close(this.#file);
  }

  /** Goes through the whole file once. */
  findEntries(visit: Visit): Eventual<void> {
    const finder = new EntryFinder();
    if (this.#text === undefined) return this.#findInPieces(finder, visit);
    const text = this.#text;
    finder.take(text, true, (start, end) => visit(text, start, end, start));
  }

  async #findInPieces(finder: EntryFinder, visit: Visit): Promise<void> {
    const buffer = Buffer.allocUnsafe(pieceSize);
    for (let position = 0; position < this.#size; ) {
      const length = Math.min(pieceSize, this.#size - position);
      for (let have = 0; have < length; ) {
        const count = await files.readLater(this.#file, buffer.subarray(have, length), position + have);
        if (count === 0) throw this.#shrunk();
        have += count;
      }
      const piece = buffer.subarray(0, length);
      const base = position;
      position += finder.take(piece, position + length >= this.#size, (start, end) =>
        visit(piece, start, end, base + start),
      );
    }
  }

  /** The key of the entry at `place`. */
  keyAt(place: number): string {
    const line = this.#read(place, Math.min(longestKeyLine, this.#size - place));
    const end = line.findIndex((octet) => octet === 0x0a || octet === 0);
    return keyOfLine(line, 0, end < 0 ? line.length : end);
  }

  /** The whole entry at `place`. */
  entryAt(place: number): Entry {
    for (let wanted = usualEntry; ; wanted *= 4) {
      const length = Math.min(wanted, this.#size - place);
      const entry = readEntry(this.#read(place, length).toString('latin1'), place + length >= this.#size);
      if (entry !== undefined) return entry;
      if (wanted > longestEntry) throw new LookupProblem(`an entry of ${this.name} is longer than 16 MB`);
    }
  }

  /** These octets, until the next call. */
  #read(place: number, length: number): Buffer {
    if (this.#text !== undefined) return this.#text.subarray(place, place + length);
    return this.#readInto(length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafe(length), place);
  }

  #readInto(buffer: Buffer, place: number): Buffer {
    if (files.readAt(this.#file, buffer, place) < buffer.length) throw this.#shrunk();
    return buffer;
  }

  #shrunk(): LookupProblem {
    return new LookupProblem(`${this.name} became shorter while it was read`);
  }

  /** Keeps the file open until `work` is done, even if `close` comes before that. */
  whileOpen<T>(work: () => Eventual<T>): Eventual<T> {
    this.#users++;
    return lastly(work, () => {
      this.#users--;
      this.#closeUnused();
    });
  }

  close(): void {
    this.#closed = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#closed && this.#users === 0 && this.#text === undefined) files.close(this.#file);
  }
}

/** What a driver makes of a file, and how it searches that. */
interface Method<Prepared> {
  /** Called at the first search. */
  prepare(file: LsearchFile): Eventual<Prepared>;
  search(prepared: Prepared, key: string, options: LookupOptions, context: Context): Eventual<Found>;
}

/** Opens a table of a driver of this family. */
export function openLsearch<Prepared>(name: Clean, method: Method<Prepared>): Table {
  const file = new LsearchFile(name);
  let prepared: Eventual<Prepared> | undefined;
  const fail = (error: unknown): Found => {
    if (prepared instanceof Promise) prepared = undefined;
    return { outcome: 'defer', message: errorText(error) };
  };
  return {
    find(key, options, context) {
      const found = file.whileOpen(() => {
        prepared ??= method.prepare(file);
        return then(prepared, (ready) => {
          prepared = ready;
          return method.search(ready, key, options, context);
        });
      });
      return found instanceof Promise ? found.catch(fail) : found;
    },
    close: () => file.close(),
  };
}

/** What is returned of an entry: its data, or all of it with `ret=full`. */
export function answerOf(entry: Entry, options: LookupOptions): Found {
  return { outcome: 'found', value: options.get('ret') === 'full' ? entry.full : entry.value };
}
