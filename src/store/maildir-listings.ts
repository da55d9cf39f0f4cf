/**
 * What was in maildirs that were opened lately, kept in memory: most clients look again and again for mail that has not
 * come. A listing is good as long as neither `new` nor `cur` has changed since. One that was made when a directory had
 * just been changed is not kept, as another change in the same moment would not show.
 */

import * as clock from '../lib/clock.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import type { Listed } from './mailbox.ts';

/** Milliseconds that a directory must have been at rest: times of file servers may be whole seconds. */
const rest = 2000;
/** Messages of all listings together; a mailbox with more is never kept. */
const mostKept = 50_000;

export interface Listing<M> {
  readonly files: readonly M[];
  readonly messages: readonly Listed[];
  readonly unreadable: number;
}

interface Kept<M> extends Listing<M> {
  readonly stamp: string;
}

/** How directories are now; nothing when one is missing or has just been changed. */
function stampOf(directories: readonly Clean[]): string | undefined {
  const found = directories.map((directory) => files.stat(directory));
  const latest = clock.now() - rest;
  let stamp = '';
  for (const each of found) {
    if (each === undefined || each.mtimeMs > latest) return undefined;
    stamp += `${each.dev} ${each.ino} ${each.mtimeMs} ${each.ctimeMs} `;
  }
  return stamp;
}

export class Listings<M> {
  readonly #kept = new Map<string, Kept<M>>();
  #messages = 0;

  /** Answers what was found before, or else looks with `list`. */
  async of(path: string, directories: readonly Clean[], list: () => Promise<Listing<M>>): Promise<Listing<M>> {
    const before = stampOf(directories);
    const kept = this.#kept.get(path);
    if (kept !== undefined && kept.stamp === before) return kept;
    this.forget(path);
    const found = await list();
    if (before !== undefined && before === stampOf(directories)) this.#keep(path, { ...found, stamp: before });
    return found;
  }

  #keep(path: string, listing: Kept<M>): void {
    const { length } = listing.messages;
    // that rights were given to read a message would not show
    if (length > mostKept || listing.unreadable > 0) return;
    this.#messages += length;
    this.#kept.set(path, listing);
    for (const oldest of this.#kept.keys()) {
      if (this.#messages <= mostKept) break;
      this.forget(oldest);
    }
  }

  forget(path: string): void {
    this.#messages -= this.#kept.get(path)?.messages.length ?? 0;
    this.#kept.delete(path);
  }
}
