/** What the program is given when it starts. */

import type { SelfCommand } from '../mta/user-process.ts';
import type { Clean } from '../safe/taint.ts';

/** How the program was started. */
export interface Start {
  /** Where it lies. */
  readonly directory: Clean;
  /** The name it was called by. */
  readonly calledAs: string;
  readonly words: readonly string[];
  /** How it starts itself again. */
  readonly self: SelfCommand;
}
