/** Long work in small steps, so that whoever shares the process is served meanwhile. */

import { setImmediate } from 'node:timers/promises';
import * as clock from '../lib/clock.ts';

/** Milliseconds of work between two pauses. */
const stretch = 10;

export class Pauses {
  #since = clock.elapsed();

  /** Lets others go on when enough was done. */
  pause(): Promise<void> | undefined {
    if (clock.elapsed() - this.#since < stretch) return undefined;
    return setImmediate().then(() => {
      this.#since = clock.elapsed();
    });
  }
}
