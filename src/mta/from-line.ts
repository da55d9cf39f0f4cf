/** The line that mailbox files and UUCP put in front of a message. */

import { regex } from '../lib/regex.ts';

/** `From sender date` in front of the header lines, as UUCP and mailbox files have it (Exim spec 48.4). */
export class FromLine {
  readonly #pattern: string;
  #done = false;
  #held = '';
  sender: string | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** The octets without the line. */
  take(chunk: Buffer): Buffer {
    if (this.#done) return chunk;
    this.#held += chunk.toString('latin1');
    const end = this.#held.indexOf('\n');
    const mayBe = this.#held.startsWith('From ') || 'From '.startsWith(this.#held.slice(0, 5));
    if (mayBe && end < 0 && this.#held.length < 4096) return Buffer.alloc(0);
    this.#done = true;
    const line = end < 0 ? this.#held : this.#held.slice(0, end);
    const found = mayBe ? regex(this.#pattern).match(line) : undefined;
    if (found !== undefined) {
      this.sender = found.groups[1] ?? '';
      this.#held = this.#held.slice(end + 1);
    }
    return Buffer.from(this.#held, 'latin1');
  }

  end(): Buffer {
    return this.#done ? Buffer.alloc(0) : Buffer.from(this.#held, 'latin1');
  }
}
