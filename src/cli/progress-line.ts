/** One line on a person's terminal that says how far a long run is. Nothing is shown when nobody looks. */

import * as clock from '../lib/clock.ts';
import type { Terminal } from './output.ts';

/** Milliseconds between two changes of the line. */
const pause = 200;

export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #isSeen: boolean;
  #last = 0;
  #shown = '';

  constructor(terminal: Terminal, isSeen = process.stderr.isTTY === true) {
    this.#terminal = terminal;
    this.#isSeen = isSeen;
  }

  show(text: string): void {
    if (!this.#isSeen || clock.elapsed() - this.#last < pause) return;
    this.#last = clock.elapsed();
    this.#terminal.error(`\r${text.padEnd(this.#shown.length)}`);
    this.#shown = text;
  }

  /** Takes the line away, lets something be written, and waits for the next change. */
  interrupt(write: () => void): void {
    this.end();
    write();
  }

  end(): void {
    if (this.#shown === '') return;
    this.#terminal.error(`\r${' '.repeat(this.#shown.length)}\r`);
    this.#shown = '';
  }
}
