/**
 * How many octets the messages of a maildir have when they are sent. That stands in few names, and to count it a message
 * must be read; so it is kept in a file of the maildir, `.tabella-sizes`, where reading them all again would take long.
 *
 * The file is worth nothing by itself: what is missing in it, damaged or lost is counted anew. A message of a maildir is
 * never changed in place; where somebody does so all the same, whoever reads the message sees that its size is another
 * one, and has the file removed.
 */

import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf } from '../safe/taint.ts';
import { mostMessages } from './mailbox.ts';
import { putIntoMaildir } from './maildir-temporary.ts';
import type { Pauses } from './pause.ts';

/** Who sums a maildir up leaves it out. */
export const sizesName = literal('.tabella-sizes');

const heading = 'tabella sizes 1';
/** So many messages had to be read: worth keeping. Whoever fetches his mail and removes it never gets the file. */
const worthwhile = 50;
/** Octets of the file that are believed: what the longest list needs, with names as programs make them. */
const longest = mostMessages * 120;

export interface Sizes {
  /** Octets of the file. */
  readonly size: number;
  /** Octets as they are sent. */
  readonly octets: number;
}

export class KnownSizes {
  readonly #directory: Clean;
  #known = new Map<string, Sizes>();
  #counted = 0;

  constructor(directory: Clean) {
    this.#directory = directory;
  }

  /** Reads what is kept. */
  async load(pauses: Pauses): Promise<void> {
    const text = this.#text();
    if (!text.startsWith(`${heading}\n`)) return;
    const line = /(\d{1,15}) (\d{1,15}) ([^\n]{1,255})\n/y;
    line.lastIndex = heading.length + 1;
    for (let at = line.lastIndex; ; at = line.lastIndex) {
      const found = line.exec(text);
      if (found === null) {
        // behind a line that is none, nothing is believed
        if (at < text.length) this.#known.clear();
        return;
      }
      this.#known.set(found[3] ?? '', { size: Number(found[1]), octets: Number(found[2]) });
      await pauses.pause();
    }
  }

  #text(): string {
    try {
      return files.readText(pathOf(this.#directory, sizesName), longest);
    } catch {
      return '';
    }
  }

  /** Of a message, by the part of its name that stays. */
  of(lasting: string): Sizes | undefined {
    return this.#known.get(lasting);
  }

  /** Notes that a message had to be read. */
  count(): void {
    this.#counted++;
  }

  /** Keeps the sizes of the messages that are there, when it is worth it. */
  save(present: Iterable<readonly [lasting: string, sizes: Sizes]>, count: number): void {
    const outdated = this.#known.size > 2 * count + worthwhile;
    this.#known = new Map();
    if (this.#counted < worthwhile && !outdated) return;
    let text = `${heading}\n`;
    for (const [lasting, { size, octets }] of present) {
      if (!lasting.includes('\n')) text += `${size} ${octets} ${lasting}\n`;
    }
    try {
      putIntoMaildir(this.#directory, sizesName, text, 0o600);
    } catch {
      // a full disk, or no right to write: the next reader counts again
    }
  }

  /** Removes what is kept: it was wrong. */
  forget(): void {
    files.removeIfPossible(pathOf(this.#directory, sizesName));
  }
}
