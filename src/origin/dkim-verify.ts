/**
 * Checks the DKIM signatures of a message while it comes (RFC 6376 §6; Exim spec 58.3): the hashes are made piece by
 * piece, the keys are asked for at the end. What it costs is bounded by the number of signatures that are looked at.
 *
 * This is written here, and not asked of a library, as an ACL wants to know of each signature by itself, options choose
 * what counts, and libraries keep a long line in memory until it ends.
 */

import { crypto } from '../lib/crypto.ts';
import type { Resolver } from '../net/dns.ts';
import { CanonicalBody, type Canonicalization } from './canonical-body.ts';
import { canonicalHeader, signedHeaders, withoutSignature } from './canonical-header.ts';
import { findKey, importKey, keyLength } from './dkim-key.ts';
import { type DkimSignature, isSignature, type KeyType, readSignature } from './dkim-signature.ts';
import type { DkimFinding, DkimVerdict } from './dkim-verdict.ts';

/** Signatures that are checked; those behind them count as not verified. */
const mostChecked = 20;
/** Signatures that are read at all. */
const mostRead = 100;

export interface DkimRules {
  readonly hashes: ReadonlySet<string>;
  readonly keyTypes: ReadonlySet<string>;
  /** Bits. */
  readonly shortestKeys: Readonly<Record<KeyType, number>>;
  /** Ends with the first signature that is right. */
  readonly minimal: boolean;
}

/** What is noted in the log while signatures are checked. */
export type DkimRemark = (text: string) => void;

const importFailed = 'validation error: ASN1 parser: Error in TAG.';
const notVerified = 'validation error: Public key signature verification has failed.';

export class DkimVerification {
  readonly #headers: readonly string[];
  readonly #rules: DkimRules;
  readonly #bodies = new Map<Canonicalization, CanonicalBody>();
  readonly signatures: readonly DkimSignature[];

  /** `headers` are as they came, with LF. */
  constructor(headers: readonly string[], rules: DkimRules) {
    this.#headers = headers;
    this.#rules = rules;
    this.signatures = headers
      .filter(isSignature)
      .slice(0, mostRead)
      .flatMap((line) => readSignature(line) ?? [])
      .filter(({ hash, keyType }) => rules.hashes.has(hash) && rules.keyTypes.has(keyType));
    for (const { fault, bodyForm, hash, bodyLength } of this.signatures.slice(0, mostChecked)) {
      if (fault !== undefined) continue;
      const body = this.#bodies.get(bodyForm) ?? new CanonicalBody(bodyForm);
      body.want(hash, bodyLength);
      this.#bodies.set(bodyForm, body);
    }
  }

  /** Takes a piece of the body, with LF. */
  take(piece: Uint8Array): void {
    for (const body of this.#bodies.values()) body.take(piece);
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
    const { fault, hash, keyType, bodyForm, bodyLength, bodyHash, selector, domain } = signature;
    if (fault !== undefined) return verdictOf(signature, fault);
    const digest = this.#bodies.get(bodyForm)?.digest(hash, bodyLength);
    if (digest?.equals(bodyHash) !== true) return verdictOf(signature, 'body');
    const record = await findKey(resolver, selector, domain);
    if (typeof record === 'string') {
      remark(`d=${domain} s=${selector} [failed key import]`);
      return verdictOf(signature, record === 'unavailable' ? 'no key' : record);
    }
    const key = importKey(record.octets, keyType);
    if (key === undefined) {
      remark(`d=${domain} s=${selector} [failed key import]`);
      remark(importFailed);
      return verdictOf(signature, 'malformed key');
    }
    const length = keyLength(key);
    const concluded = (finding: DkimFinding): DkimVerdict => ({ signature, finding, key: record, keyLength: length });
    if (record.hashes?.includes(hash) === false) return concluded('wrong hash');
    if (length < this.#rules.shortestKeys[keyType]) return concluded('short key');
    const data = Buffer.from(this.#signedText(signature), 'latin1');
    const { createHash, verify } = crypto();
    const isRight =
      keyType === 'rsa'
        ? verify(hash, data, key, signature.signature)
        : verify(undefined, createHash(hash).update(data).digest(), key, signature.signature);
    if (!isRight) remark(notVerified);
    return concluded(isRight ? 'pass' : 'signature');
  }

  #signedText({ line, headerNames, headerForm }: DkimSignature): string {
    const others = this.#headers.filter((each) => each !== line);
    const signed = signedHeaders(others, headerNames.split(':'), headerForm);
    return signed + canonicalHeader(withoutSignature(line), headerForm);
  }
}

function verdictOf(signature: DkimSignature, finding: DkimFinding): DkimVerdict {
  return { signature, finding, key: undefined, keyLength: 0 };
}
