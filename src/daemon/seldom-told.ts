/** Keeps what happens again and again from filling the log: it is told once in a while, with how often it was meanwhile. */

import * as clock from '../lib/clock.ts';
import { Cache } from '../lib/lru.ts';

/** Milliseconds between two lines about the same. */
const interval = 10_000;
const mostSubjects = 1000;

interface Subject {
  readonly told: number;
  unsaid: number;
}

export class SeldomTold {
  readonly #subjects = new Cache<string, Subject>(mostSubjects);

  /** What a line about `subject` has at its end; nothing when there is to be no line now. */
  tell(subject: string): string | undefined {
    const now = clock.elapsed();
    const found = this.#subjects.get(subject);
    if (found !== undefined && now - found.told < interval) {
      found.unsaid++;
      return undefined;
    }
    this.#subjects.set(subject, { told: now, unsaid: 0 });
    const unsaid = found?.unsaid ?? 0;
    return unsaid === 0 ? '' : ` (and ${unsaid} more since the last such line)`;
  }
}
