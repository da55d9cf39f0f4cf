/**
 * The body of a message as DKIM hashes it (RFC 6376 §3.4.3, §3.4.4), piece by piece. Lines come in with LF and go out with
 * CRLF. What may yet turn out to be the end of the body is counted, not kept, so no body, however made, takes up memory.
 */

import { crypto } from '../lib/crypto.ts';

export type Canonicalization = 'simple' | 'relaxed';
export type HashName = 'sha1' | 'sha256' | 'sha512';

const lf = 0x0a;
const cr = 0x0d;
const blank = 0x20;
const tab = 0x09;
const lineEnds = Buffer.from('\r\n'.repeat(1024), 'latin1');

/** What makes a piece other than it is hashed in the relaxed form. */
const mustShrink = ['\t', '  ', ' \n'];

/** Whether a piece holds nothing but line ends, and blanks that do not count. */
function isEmptyLines(octets: Buffer, relaxed: boolean): boolean {
  for (const octet of octets) {
    if (octet !== lf && !(relaxed && (octet === blank || octet === tab))) return false;
  }
  return true;
}

/** Octets on their way to the hashes. */
class Output {
  readonly #octets: Buffer;
  length = 0;

  constructor(size: number) {
    this.#octets = Buffer.allocUnsafe(size);
  }

  put(octet: number): void {
    this.#octets[this.length++] = octet;
  }

  copy(from: Buffer, start: number, end: number): void {
    this.length += from.copy(this.#octets, this.length, start, end);
  }

  get written(): Buffer {
    return this.#octets.subarray(0, this.length);
  }
}

/** A hash over the first octets of a body, or over all of it. */
interface BodyHash {
  readonly hash: ReturnType<ReturnType<typeof crypto>['createHash']>;
  /** Octets that it still takes. */
  left: number;
  /** Asked for when nothing more comes. */
  result: Buffer | undefined;
}

export class CanonicalBody {
  readonly #relaxed: boolean;
  readonly #hashes = new Map<string, BodyHash>();
  /** Line ends that have not been hashed: they count only when something follows. */
  #ends = 0;
  /** Blanks stand before what comes next. */
  #afterBlank = false;
  #isEmpty = true;
  #ended = false;

  constructor(canonicalization: Canonicalization) {
    this.#relaxed = canonicalization === 'relaxed';
  }

  /** Asks for a hash over the first `limit` octets; before the body begins. */
  want(name: HashName, limit: number | undefined): void {
    const key = `${name} ${limit}`;
    if (this.#hashes.has(key)) return;
    const hash = crypto().createHash(name);
    this.#hashes.set(key, { hash, left: limit ?? Number.POSITIVE_INFINITY, result: undefined });
  }

  /** Takes a piece of the body, with LF at the end of each line. */
  take(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    // line ends held back from before are written by themselves when something follows: then there is room for the rest
    if (this.#ends > 0 && !isEmptyLines(octets, this.#relaxed)) {
      this.#writeEnds(this.#ends);
      this.#ends = 0;
    }
    // each octet becomes two at most, and a blank may have been held back
    const out = new Output(octets.length * 2 + 1);
    if (this.#relaxed && mustShrink.some((blanks) => octets.includes(blanks))) this.#shrink(octets, out);
    else this.#copy(octets, out);
    if (out.length > 0) this.#write(out.written);
  }

  /** Copies line by line; no blanks in the piece are to be dropped, though one at its end may be. */
  #copy(octets: Buffer, out: Output): void {
    let end = octets.length;
    const endsBlank = this.#relaxed && octets[end - 1] === blank;
    if (endsBlank) end--;
    // two blanks are one
    if (this.#afterBlank && octets[0] === blank && end > 0) this.#afterBlank = false;
    for (let at = 0; at < end; ) {
      const next = octets.indexOf(lf, at);
      const stop = next < 0 || next > end ? end : next;
      if (stop > at) {
        this.#begin(out);
        out.copy(octets, at, stop);
      }
      at = stop;
      if (at < end) {
        this.#afterBlank = false;
        this.#ends++;
        at++;
      }
    }
    if (endsBlank) this.#afterBlank = true;
  }

  /** Copies octet by octet and makes one blank of many, and none of those at the end of a line. */
  #shrink(octets: Buffer, out: Output): void {
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at] ?? 0;
      if (octet === lf) {
        this.#afterBlank = false;
        this.#ends++;
      } else if (octet === blank || octet === tab) this.#afterBlank = true;
      else {
        if (this.#ends > 0 || this.#afterBlank) this.#begin(out);
        out.put(octet);
      }
    }
  }

  /** Something follows: what was held back counts after all. */
  #begin(out: Output): void {
    for (; this.#ends > 0; this.#ends--) {
      out.put(cr);
      out.put(lf);
    }
    if (this.#afterBlank) out.put(blank);
    this.#afterBlank = false;
  }

  /** The hash over the first `limit` octets, which was asked for at the beginning. The body is at its end. */
  digest(name: HashName, limit: number | undefined): Buffer {
    // a body of nothing is a line end in one form, and nothing in the other
    if (!this.#ended && (!this.#relaxed || !this.#isEmpty)) this.#writeEnds(1);
    this.#ended = true;
    const wanted = this.#hashes.get(`${name} ${limit}`);
    if (wanted === undefined) throw new Error('a hash that was not asked for');
    wanted.result ??= wanted.hash.digest();
    return wanted.result;
  }

  #writeEnds(count: number): void {
    for (let octets = count * 2; octets > 0; octets -= lineEnds.length) {
      this.#write(octets < lineEnds.length ? lineEnds.subarray(0, octets) : lineEnds);
    }
  }

  #write(octets: Uint8Array): void {
    this.#isEmpty = false;
    for (const wanted of this.#hashes.values()) {
      if (wanted.left <= 0) continue;
      wanted.hash.update(octets.length <= wanted.left ? octets : octets.subarray(0, wanted.left));
      wanted.left -= octets.length;
    }
  }
}
