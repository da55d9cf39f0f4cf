/**
 * Checks the chain of ARC sets of a message (RFC 8617 §5.2; Exim's experimental ARC): whether the last station's signature
 * and the seals of all stations are right. What it costs is bounded by the number of sets that there may be.
 */

import type { Resolver } from '../net/dns.ts';
import { type ArcSet, arcSets } from './arc-sets.ts';
import type { BodyHashes } from './body-hashes.ts';
import { canonicalHeader, signedHeaders, withoutSignature } from './canonical-header.ts';
import { prove, type ShortestKeys } from './prove.ts';

export interface ArcAnswer {
  readonly state: 'none' | 'fail' | 'pass';
  /** Why it fails. */
  readonly reason: string;
  readonly sets: readonly ArcSet[];
  /** The first set from which on all signatures are still right; 0 when none is. */
  readonly oldestPass: number;
}

/** The lines of a set, as far as a seal signs them. */
interface SealedLines {
  readonly results: string;
  readonly signature: { readonly line: string };
  readonly seal: { readonly line: string };
}

/** The text that a seal signs: all lines of its own set and those before it, its own signature left out (RFC 8617 §5.1.1). */
export function sealedText(sets: readonly SealedLines[]): string {
  let text = '';
  for (const [i, { results, signature, seal }] of sets.entries()) {
    for (const line of [results, signature.line]) text += `${canonicalHeader(line, 'relaxed')}\r\n`;
    text +=
      i === sets.length - 1
        ? canonicalHeader(withoutSignature(seal.line), 'relaxed')
        : `${canonicalHeader(seal.line, 'relaxed')}\r\n`;
  }
  return text;
}

export class ArcVerification {
  readonly #headers: readonly string[];
  readonly #sets: readonly ArcSet[] | { readonly problem: string };
  readonly #bodies: BodyHashes;
  readonly #shortestKeys: ShortestKeys;

  /** `headers` are as they came, with LF. Whoever made `bodies` hands it the body. */
  constructor(headers: readonly string[], shortestKeys: ShortestKeys, bodies: BodyHashes) {
    this.#headers = headers;
    this.#bodies = bodies;
    this.#shortestKeys = shortestKeys;
    this.#sets = arcSets(headers);
    if (!('problem' in this.#sets)) for (const { signature } of this.#sets) this.#bodies.want(signature);
  }

  /** The whole body was taken. */
  async answer(resolver: Pick<Resolver, 'resolve'>): Promise<ArcAnswer> {
    const sets = this.#sets;
    const failed = (reason: string, oldestPass = 0): ArcAnswer => {
      return { state: 'fail', reason, sets: 'problem' in sets ? [] : sets, oldestPass };
    };
    if ('problem' in sets) return failed(sets.problem);
    const latest = sets.at(-1);
    if (latest === undefined) return { state: 'none', reason: '', sets, oldestPass: 0 };
    if (latest.chainValue === 'fail') return failed('the last station found it broken');
    const odd = sets.find(({ instance, chainValue }) => chainValue !== (instance === 1 ? 'none' : 'pass'));
    if (odd !== undefined) return failed(`bad chain value for instance ${odd.instance}`);
    let oldestPass = 0;
    for (const set of sets.toReversed()) {
      if (!(await this.#isSigned(set, resolver))) break;
      oldestPass = set.instance;
    }
    if (oldestPass === 0) return failed(`bad signature for instance ${latest.instance}`);
    for (const { instance, seal } of sets.toReversed()) {
      const text = (): string => sealedText(sets.slice(0, instance));
      const { finding } = await prove(seal, text, this.#shortestKeys, resolver, () => undefined);
      if (finding !== 'pass') return failed(`bad seal for instance ${instance}`, oldestPass);
    }
    return { state: 'pass', reason: '', sets, oldestPass };
  }

  async #isSigned({ signature }: ArcSet, resolver: Pick<Resolver, 'resolve'>): Promise<boolean> {
    if (!this.#bodies.digest(signature).equals(signature.bodyHash)) return false;
    const { line, headerNames, headerForm } = signature;
    const text = (): string =>
      signedHeaders(this.#headers, headerNames.split(':'), headerForm) +
      canonicalHeader(withoutSignature(line), headerForm);
    return (await prove(signature, text, this.#shortestKeys, resolver, () => undefined)).finding === 'pass';
  }
}

/** `arc=pass …` for an Authentication-Results: line. */
export function arcResult({ state, reason, sets, oldestPass }: ArcAnswer, ip: string): string {
  const latest = sets.at(-1);
  if (state === 'none' || latest === undefined) return `arc=${state}${reason === '' ? '' : ` (${reason})`}`;
  const { selector, domain } = latest.signature;
  const of = `header.s=${selector} arc.oldest-pass=${oldestPass} smtp.remote-ip=${ip}`;
  return `arc=${state} (${reason === '' ? `i=${latest.instance}` : reason}) header.d=${domain} ${of}`;
}
