/**
 * Checks the DKIM signatures of a message while it comes (RFC 6376 §6; Exim spec 58.3): the hashes are made piece by
 * piece, the keys are asked for at the end. What it costs is bounded by the number of signatures that are looked at.
 *
 * This is written here, and not asked of a library, as an ACL wants to know of each signature by itself, options choose
 * what counts, and libraries keep a long line in memory until it ends.
 */

import type { Resolver } from '../net/dns.ts';
import type { BodyHashes } from './body-hashes.ts';
import { canonicalHeader, signedHeaders, withoutSignature } from './canonical-header.ts';
import { type DkimSignature, isSignature, readSignature } from './dkim-signature.ts';
import type { DkimVerdict } from './dkim-verdict.ts';
import { type DkimRemark, prove, type ShortestKeys, verdictOf } from './prove.ts';

/** Signatures that are checked; those behind them count as not verified. */
const mostChecked = 20;
/** Signatures that are read at all. */
const mostRead = 100;

export interface DkimRules {
  readonly hashes: ReadonlySet<string>;
  readonly keyTypes: ReadonlySet<string>;
  readonly shortestKeys: ShortestKeys;
  /** Ends with the first signature that is right. */
  readonly minimal: boolean;
}

export class DkimVerification {
  readonly #headers: readonly string[];
  readonly #rules: DkimRules;
  readonly #bodies: BodyHashes;
  readonly signatures: readonly DkimSignature[];

  /** `headers` are as they came, with LF. Whoever made `bodies` hands it the body. */
  constructor(headers: readonly string[], rules: DkimRules, bodies: BodyHashes) {
    this.#headers = headers;
    this.#rules = rules;
    this.#bodies = bodies;
    this.signatures = headers
      .filter(isSignature)
      .slice(0, mostRead)
      .flatMap((line) => readSignature(line) ?? [])
      .filter(({ hash, keyType }) => rules.hashes.has(hash) && rules.keyTypes.has(keyType));
    for (const signature of this.signatures.slice(0, mostChecked)) {
      if (signature.fault === undefined) this.#bodies.want(signature);
    }
  }

  /** What each signature comes to, in the order of the header lines; the whole body was taken. */
  async verdicts(resolver: Pick<Resolver, 'resolve'>, remark: DkimRemark): Promise<readonly DkimVerdict[]> {
    const verdicts: DkimVerdict[] = [];
    let isDone = false;
    for (const [i, signature] of this.signatures.entries()) {
      const verdict: DkimVerdict =
        isDone || i >= mostChecked
          ? verdictOf(signature, 'not verified')
          : await this.#check(signature, resolver, remark);
      verdicts.push(verdict);
      isDone ||= this.#rules.minimal && verdict.finding === 'pass';
    }
    return verdicts;
  }

  async #check(
    signature: DkimSignature,
    resolver: Pick<Resolver, 'resolve'>,
    remark: DkimRemark,
  ): Promise<DkimVerdict> {
    const { fault, bodyHash } = signature;
    if (fault !== undefined) return verdictOf(signature, fault);
    if (!this.#bodies.digest(signature).equals(bodyHash)) return verdictOf(signature, 'body');
    return prove(signature, () => this.#signedText(signature), this.#rules.shortestKeys, resolver, remark);
  }

  #signedText({ line, headerNames, headerForm }: DkimSignature): string {
    const others = this.#headers.filter((each) => each !== line);
    const signed = signedHeaders(others, headerNames.split(':'), headerForm);
    return signed + canonicalHeader(withoutSignature(line), headerForm);
  }
}
