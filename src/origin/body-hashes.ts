/** The hashes over a body that several signatures need, each made once, while the body goes by. */

import { CanonicalBody, type Canonicalization, type HashName } from './canonical-body.ts';

/** What a signature says of the body. */
export interface BodyRule {
  readonly bodyForm: Canonicalization;
  readonly hash: HashName;
  /** Octets that are covered; all when nothing is said. */
  readonly bodyLength: number | undefined;
}

export class BodyHashes {
  readonly #bodies = new Map<Canonicalization, CanonicalBody>();

  /** Before the body begins. */
  want({ bodyForm, hash, bodyLength }: BodyRule): void {
    const body = this.#bodies.get(bodyForm) ?? new CanonicalBody(bodyForm);
    body.want(hash, bodyLength);
    this.#bodies.set(bodyForm, body);
  }

  /** Takes a piece of the body, with LF. */
  take(piece: Uint8Array): void {
    for (const body of this.#bodies.values()) body.take(piece);
  }

  /** A hash that was asked for; the whole body was taken. */
  digest({ bodyForm, hash, bodyLength }: BodyRule): Buffer {
    const body = this.#bodies.get(bodyForm);
    if (body === undefined) throw new Error('a hash that was not asked for');
    return body.digest(hash, bodyLength);
  }
}
