/**
 * Line ends of messages that local programs hand over, made into LF (Exim spec 48.2): CRLF and CR alone end a line like
 * LF does; when the first line ended with CRLF, an LF alone within a header line does not begin another one.
 */

const lf = 0x0a;
const cr = 0x0d;
const blank = 0x20;
const dot = 0x2e;

export class LineEndings {
  /** Ends the message at a line that holds only a dot. */
  readonly #dotEnds: boolean;
  #afterCr = false;
  #firstLineSeen = false;
  #crlf = false;
  #inHeader = true;
  #lineLength = 0;
  /** The line so far is a single dot that is held back. */
  #heldDot = false;
  /** A line with a single dot was read. */
  ended = false;

  constructor(dotEnds: boolean) {
    this.#dotEnds = dotEnds;
  }

  /** The octets with LF at the end of each line. */
  convert(chunk: Buffer): Buffer {
    if (this.ended) return Buffer.alloc(0);
    if (!this.#dotEnds && !this.#afterCr && !this.#crlf && chunk.indexOf(cr) < 0) {
      this.#note(chunk);
      return chunk;
    }
    const out = Buffer.allocUnsafe(chunk.length * 2 + 2);
    let length = 0;
    for (const octet of chunk) {
      if (this.#afterCr) {
        this.#afterCr = false;
        if (octet === lf) {
          this.#noteFirst(true);
          length = this.#newline(out, length, false);
          if (this.ended) break;
          continue;
        }
        this.#noteFirst(false);
        length = this.#bareEnd(out, length);
      }
      if (octet === cr) this.#afterCr = true;
      else if (octet === lf) {
        length = this.#bareLf(out, length);
        if (this.ended) break;
      } else length = this.#plain(out, length, octet);
    }
    return out.subarray(0, length);
  }

  #noteFirst(crlf: boolean): void {
    if (!this.#firstLineSeen) this.#crlf = crlf;
    this.#firstLineSeen = true;
  }

  #note(chunk: Buffer): void {
    if (chunk.includes(lf)) this.#noteFirst(false);
    const last = chunk.lastIndexOf(lf);
    this.#lineLength = last < 0 ? this.#lineLength + chunk.length : chunk.length - last - 1;
    if (this.#inHeader && chunk.includes('\n\n')) this.#inHeader = false;
  }

  #plain(out: Buffer, at: number, octet: number): number {
    let length = at;
    if (this.#dotEnds && this.#lineLength === 0 && octet === dot && !this.#heldDot) {
      this.#heldDot = true;
      return length;
    }
    if (this.#heldDot) {
      this.#heldDot = false;
      out[length++] = dot;
      this.#lineLength++;
    }
    out[length++] = octet;
    this.#lineLength++;
    return length;
  }

  /** An LF without CR: the end of a line; in a message whose lines end with CRLF, no header line begins behind it. */
  #bareLf(out: Buffer, at: number): number {
    this.#noteFirst(false);
    return this.#newline(out, at, this.#crlf && this.#inHeader);
  }

  /** A CR without LF. */
  #bareEnd(out: Buffer, at: number): number {
    return this.#newline(out, at, this.#inHeader);
  }

  /** `continued`: the next line must not look like a header line of its own. */
  #newline(out: Buffer, at: number, continued: boolean): number {
    let length = at;
    if (this.#heldDot) {
      this.#heldDot = false;
      if (!continued) {
        this.ended = true;
        return length;
      }
      out[length++] = dot;
    }
    if (this.#lineLength === 0) this.#inHeader = false;
    out[length++] = lf;
    this.#lineLength = 0;
    if (continued && this.#inHeader) {
      out[length++] = blank;
      this.#lineLength = 1;
    }
    return length;
  }

  /** What is still held back at the end of the input. */
  end(): Buffer {
    if (this.ended) return Buffer.alloc(0);
    const out = Buffer.alloc(4);
    let length = 0;
    if (this.#heldDot) {
      this.#heldDot = false;
      out[length++] = dot;
    }
    if (this.#afterCr) {
      this.#afterCr = false;
      out[length++] = lf;
    }
    return out.subarray(0, length);
  }
}
