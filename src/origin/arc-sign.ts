/** Makes an ARC set: what this station says of a message, signed and sealed (RFC 8617 §5.1). */

import type { KeyObject } from 'node:crypto';
import { lower, trim } from '../lib/octets.ts';
import { headerBody } from '../mail/header-line.ts';
import { type ArcSet, arcSets, isArcLine, mostSets } from './arc-sets.ts';
import { sealedText } from './arc-verify.ts';
import { canonicalHeader, signedHeaders } from './canonical-header.ts';
import { namesToSign, signedLine, signingType, standardNames } from './dkim-sign.ts';
import { Folded } from './folded-line.ts';

export interface ArcOrder {
  /** The name of this station: the domain that signs, and the name in its Authentication-Results: line. */
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
  /** Seconds since 1970. */
  readonly created: number | undefined;
  readonly expires: number | undefined;
}

const hash = 'sha256';

/** All that are there of what DKIM signs, and its own signatures. */
const names = ['DKIM-Signature', ...standardNames.split(':')].map((name) => `=${name}`);

/** What our own Authentication-Results: line says, without the field's name; the first one counts. */
function ownResults(headers: readonly string[], domain: string): string | undefined {
  for (const line of headers) {
    if (lower(line.slice(0, line.indexOf(':'))) !== 'authentication-results') continue;
    const body = trim(headerBody(line));
    const id = /^[^;\x00-\x20]+/.exec(body)?.[0] ?? '';
    return lower(id) === lower(domain) ? body : undefined;
  }
  return undefined;
}

/** The three header lines, each with LF at its end, or why none can be made. `bodyHash` is of the relaxed form. */
export function arcLines(
  order: ArcOrder,
  headers: readonly string[],
  bodyHash: Buffer,
): { readonly lines: string } | { readonly problem: string } {
  const { domain, selector, key, created, expires } = order;
  const results = ownResults(headers, domain);
  if (results === undefined) return { problem: `no Authentication-Results header for ${domain}` };
  const earlier = arcSets(headers);
  const found = /\barc=(none|pass|fail)\b/.exec(results)?.[1];
  const known: readonly ArcSet[] = 'problem' in earlier ? [] : earlier;
  const isEmpty = !headers.some(isArcLine);
  if (!isEmpty && (found === undefined || found === 'none')) return { problem: 'the chain was not verified' };
  if (known.at(-1)?.chainValue === 'fail') return { problem: 'the chain has ended' };
  if ('problem' in earlier) return { problem: earlier.problem };
  const instance = known.length + 1;
  if (instance > mostSets) return { problem: 'the chain is too long' };
  const chainValue = isEmpty ? 'none' : found === 'pass' ? 'pass' : 'fail';
  const algorithm = `${signingType(key)}-${hash}`;
  const resultsLine = `ARC-Authentication-Results: i=${instance}; ${results}\n`;
  const signed = namesToSign(headers, names);
  const messageLine = signedLine(
    () => {
      const line = new Folded(`ARC-Message-Signature: i=${instance};`);
      for (const word of [`a=${algorithm}`, 'c=relaxed/relaxed', `d=${domain}`, `s=${selector}`]) line.tag(word);
      line.names(signed);
      line.tag(`bh=${bodyHash.toString('base64')}`);
      if (created !== undefined) line.tag(`t=${created}`);
      if (expires !== undefined) line.tag(`x=${expires}`);
      return line;
    },
    { key, hash },
    (line) => signedHeaders(headers, signed, 'relaxed') + canonicalHeader(line, 'relaxed'),
  );
  const sealLine = signedLine(
    () => {
      const line = new Folded(`ARC-Seal: i=${instance};`);
      for (const word of [`cv=${chainValue}`, `a=${algorithm}`, `d=${domain}`, `s=${selector}`]) line.tag(word);
      if (created !== undefined) line.tag(`t=${created}`);
      return line;
    },
    { key, hash },
    (line) => {
      const own = { results: resultsLine, signature: { line: messageLine }, seal: { line } };
      // a chain that is broken is sealed by its last set alone (RFC 8617 §5.1.2)
      return sealedText(chainValue === 'fail' ? [own] : [...known, own]);
    },
  );
  return { lines: sealLine + messageLine + resultsLine };
}
