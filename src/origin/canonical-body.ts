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
    const out = Buffer.allocUnsafe(piece.length * 2 + 2);
    let length = 0;
    let carried = this.#ends;
    for (const octet of piece) {
      if (octet === lf) {
        this.#afterBlank = false;
        this.#ends++;
        continue;
      }
      if (this.#relaxed && (octet === blank || octet === tab)) {
        this.#afterBlank = true;
        continue;
      }
      if (carried > 0) {
        this.#writeEnds(carried);
        this.#ends -= carried;
      }
      carried = 0;
      for (; this.#ends > 0; this.#ends--) {
        out[length++] = cr;
        out[length++] = lf;
      }
      if (this.#afterBlank) out[length++] = blank;
      this.#afterBlank = false;
      out[length++] = octet;
    }
    if (length > 0) this.#write(out.subarray(0, length));
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
