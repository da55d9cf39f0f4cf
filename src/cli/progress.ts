/** How far long work has come, on standard error: a line every few seconds, for who watches at a terminal or asks for it. */

import * as clock from '../lib/clock.ts';
import type { Terminal } from './output.ts';

/** Milliseconds between two lines. */
const pause = 2000;

export class Progress {
  readonly #terminal: Terminal;
  readonly #shown: boolean;
  #last = clock.elapsed();

  /** `asked`: also where nobody watches. */
  constructor(terminal: Terminal, asked: boolean) {
    this.#terminal = terminal;
    this.#shown = asked || process.stderr.isTTY === true;
  }

  /** Says something if it is time; `text` is made only then. */
  tell(text: () => string): void {
    if (!this.#shown) return;
    const now = clock.elapsed();
    if (now - this.#last < pause) return;
    this.#last = now;
    this.#terminal.error(`${text()}\n`);
  }
}
