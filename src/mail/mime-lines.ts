/** Lines of a file in Exim's pieces, from any place in it, with little memory: how MIME parts are found and decoded. */

/** Octets of a line that are taken at once; the rest of a longer one comes as a line of its own. */
const longestLine = 8191;
const bufferSize = 64 * 1024;

/** Reads into the buffer from the octet `at`; 0 behind the end. */
export type ReadAt = (buffer: Uint8Array, at: number) => Promise<number>;

export class MimeLines {
  readonly #readAt: ReadAt;
  readonly #buffer = Buffer.allocUnsafe(bufferSize);
  /** Where in the file the buffer begins, and how many octets of it are good. */
  #start = 0;
  #filled = 0;
  #holdsEnd = false;
  /** Where the next line begins. */
  at: number;

  constructor(readAt: ReadAt, at: number) {
    this.#readAt = readAt;
    this.at = at;
  }

  /** The next line with its LF, if it has one; nothing at the end. */
  async next(): Promise<string | undefined> {
    let from = this.at - this.#start;
    if (from < 0 || (from + longestLine > this.#filled && !this.#holdsEnd)) {
      await this.#fill();
      from = 0;
    }
    if (from >= this.#filled) return undefined;
    const window = this.#buffer.subarray(from, Math.min(from + longestLine, this.#filled));
    const end = window.indexOf(0x0a);
    const line = window.toString('latin1', 0, end < 0 ? window.length : end + 1);
    this.at += line.length;
    return line;
  }

  /** Fills the buffer from the next line on. */
  async #fill(): Promise<void> {
    this.#start = this.at;
    this.#filled = 0;
    this.#holdsEnd = false;
    while (this.#filled < bufferSize && !this.#holdsEnd) {
      const count = await this.#readAt(this.#buffer.subarray(this.#filled), this.#start + this.#filled);
      this.#holdsEnd = count === 0;
      this.#filled += count;
    }
  }
}
