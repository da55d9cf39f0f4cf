/**
 * The octets of BDAT made into the message (RFC 3030): nothing is stuffed and nothing ends it but the client's word, so
 * every kind of line end can safely be taken for one. CRLF, CR alone and LF alone become LF; within the header section
 * one that is no CRLF goes on with the same header line, so that nobody can smuggle a header line in.
 */

const cr = 0x0d;
const lf = 0x0a;
const blank = 0x20;
const tab = 0x09;

export class ChunkData {
  #afterCr = false;
  #lineLength = 0;
  #inHeader = true;
  #continues = false;
  /** Lines so far; only whether there is one counts. */
  #lines = 0;
  /** The first line ended with LF alone. */
  firstIsBare = false;

  /** The message's octets in `chunk`. */
  take(chunk: Buffer): Buffer {
    const out = Buffer.allocUnsafe(chunk.length * 2 + 2);
    let length = 0;
    for (const octet of chunk) {
      if (this.#afterCr) {
        this.#afterCr = false;
        if (octet === lf) {
          length = this.#newline(out, length, true);
          continue;
        }
        length = this.#newline(out, length, false);
      }
      if (octet === cr) this.#afterCr = true;
      else if (octet === lf) {
        if (this.#lines === 0) this.firstIsBare = true;
        length = this.#newline(out, length, false);
      } else length = this.#plain(out, length, octet);
    }
    return out.subarray(0, length);
  }

  /** What is held back at the end of the message. */
  end(): Buffer {
    const out = Buffer.alloc(2);
    const length = this.#afterCr ? this.#newline(out, 0, false) : 0;
    this.#afterCr = false;
    return out.subarray(0, length);
  }

  #plain(out: Buffer, at: number, octet: number): number {
    let length = at;
    if (this.#continues) {
      this.#continues = false;
      if (octet !== blank && octet !== tab) out[length++] = blank;
    }
    out[length++] = octet;
    this.#lineLength++;
    return length;
  }

  #newline(out: Buffer, at: number, proper: boolean): number {
    out[at] = lf;
    this.#lines++;
    if (this.#lineLength === 0) this.#inHeader = false;
    this.#lineLength = 0;
    this.#continues = this.#inHeader && !proper && !this.firstIsBare;
    return at + 1;
  }
}
