/** When something was last seen: a time for each key (Exim spec 44.38). */

import * as clock from '../lib/clock.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { HintsFile, type HintsOwner } from './hints.ts';

/** Seconds for which a time is kept at least, as Exim's tidying does. */
const kept = 30 * 86_400;

export class SeenHints {
  readonly #file: HintsFile;

  constructor(spool: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void) {
    this.#file = new HintsFile(spool, literal('seen'), owner, complain);
  }

  /** Seconds since 1970. */
  get(key: string): number | undefined {
    const text = this.#file.get(key);
    return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
  }

  /** Notes that it was seen now; `wanted` is for how many seconds somebody may want to know. */
  note(key: string, wanted: number): void {
    const now = clock.seconds();
    this.#file.set(key, String(now), now + Math.max(kept, 2 * wanted));
  }

  close(): void {
    this.#file.close();
  }
}
