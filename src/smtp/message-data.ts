/**
 * The octets behind DATA made into the message: dots taken off, lines ended with LF, the end found (RFC 5321 §4.1.1.4,
 * §4.5.2). Over a network only CRLF ends a line; a message with a CR or LF of its own is read to its end and then refused,
 * so that nobody can smuggle a second message in (CVE-2023-51766). Programs on standard input may end lines with LF or CR.
 */

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;
const blank = 0x20;

export type LineEnds = 'CRLF only' | 'any';

/** What is wrong with the line ends of a message that came over a network. */
export type LineEndFault = 'bare CR' | 'bare LF';

export class MessageData {
  readonly #lenient: boolean;
  #atLineStart = true;
  /** A dot stands at the start of the line and was not passed on. */
  #afterDot = false;
  #afterCr = false;
  /** Header lines: the blank line was not seen yet. */
  #inHeader = true;
  #crlfSeen = false;
  fault: LineEndFault | undefined;
  /** The end was found. */
  ended = false;
  /** It was found behind lines that end with LF alone: what follows cannot be trusted to be commands. */
  endedByLf = false;

  constructor(lineEnds: LineEnds) {
    this.#lenient = lineEnds === 'any';
  }

  /** The message's octets in `chunk`, and how many octets of it were used; the rest stands behind the end. */
  take(chunk: Buffer): { readonly octets: Buffer; readonly used: number } {
    const out = Buffer.allocUnsafe(2 * chunk.length + 2);
    let length = 0;
    let at = 0;
    while (at < chunk.length && !this.ended) {
      const octet = chunk[at++] ?? 0;
      // most octets stand within a line, where nothing but its end counts
      if (!this.#atLineStart && !this.#afterCr && octet !== cr && octet !== lf) {
        out[length++] = octet;
        for (; at < chunk.length; at++) {
          const next = chunk[at] ?? 0;
          if (next === cr || next === lf) break;
          out[length++] = next;
        }
      } else if (octet === lf) length = this.#newline(out, length);
      else if (this.#afterCr)
        length = this.#lenient ? this.#crLine(out, length, octet) : this.#bareCr(out, length, octet);
      else length = this.#plain(out, length, octet);
    }
    return { octets: out.subarray(0, length), used: at };
  }

  #plain(out: Buffer, at: number, octet: number): number {
    if (octet === cr) this.#afterCr = true;
    else if (this.#atLineStart && octet === dot && !this.#afterDot) this.#afterDot = true;
    else {
      this.#atLineStart = false;
      this.#afterDot = false;
      out[at] = octet;
      return at + 1;
    }
    return at;
  }

  /** An LF: the end of a line, and of the message when the line was a dot alone. */
  #newline(out: Buffer, at: number): number {
    const proper = this.#afterCr || this.#lenient;
    this.#afterCr = false;
    if (proper) this.#crlfSeen = true;
    else this.fault ??= 'bare LF';
    if (this.#atLineStart && this.#afterDot && (proper || !this.#crlfSeen)) {
      this.ended = true;
      this.endedByLf = !proper;
      return at;
    }
    let length = at;
    if (this.#afterDot && !proper) out[length++] = dot;
    if (this.#atLineStart && !this.#afterDot) this.#inHeader = false;
    this.#atLineStart = true;
    this.#afterDot = false;
    out[length++] = lf;
    return length;
  }

  /** A CR that no LF follows ends a line; what comes next within a header must not look like another header line. */
  #crLine(out: Buffer, at: number, octet: number): number {
    let length = at;
    this.#afterCr = false;
    if (this.#atLineStart && !this.#afterDot) this.#inHeader = false;
    out[length++] = lf;
    this.#atLineStart = !this.#inHeader;
    this.#afterDot = false;
    if (this.#inHeader) out[length++] = blank;
    return this.#plain(out, length, octet);
  }

  /** A CR that no LF follows: it is passed on as it is. */
  #bareCr(out: Buffer, at: number, octet: number): number {
    let length = at;
    this.fault ??= 'bare CR';
    out[length++] = cr;
    this.#atLineStart = false;
    this.#afterDot = false;
    if (octet !== cr) {
      this.#afterCr = false;
      out[length++] = octet;
    }
    return length;
  }
}
