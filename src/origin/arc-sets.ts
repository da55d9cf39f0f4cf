/** The header lines of ARC, sorted into the sets that the stations of a message have added (RFC 8617 §4). */

import { lower } from '../lib/octets.ts';
import { headerBody } from '../mail/header-line.ts';
import { type DkimSignature, readSignature } from './dkim-signature.ts';
import { parseTags, withoutBlanks } from './tags.ts';

export interface ArcSet {
  readonly instance: number;
  /** The whole header lines. */
  readonly results: string;
  readonly signature: DkimSignature;
  readonly seal: DkimSignature;
  /** What the seal says of the sets before it. */
  readonly chainValue: string;
}

/** RFC 8617 §4.2.1. */
export const mostSets = 50;

const names = ['arc-authentication-results', 'arc-message-signature', 'arc-seal'] as const;
type ArcName = (typeof names)[number];

function nameOf(line: string): ArcName | undefined {
  // most lines of a message are others
  if (!/^arc-/i.test(line)) return undefined;
  const found = lower(line.slice(0, line.indexOf(':')));
  return names.find((name) => name === found);
}

/** Whether a line is one of ARC's. */
export function isArcLine(line: string): boolean {
  return nameOf(line) !== undefined;
}

function instanceOf(line: string, name: ArcName): number | undefined {
  const body = headerBody(line);
  const text =
    name === 'arc-authentication-results'
      ? /^[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*(\d{1,2})[ \t\r\n]*;/.exec(body)?.[1]
      : withoutBlanks(parseTags(body)?.get('i') ?? '');
  const instance = text !== undefined && /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return instance >= 1 && instance <= mostSets ? instance : undefined;
}

/** The sets in the order they were added, or what is wrong with them. */
export function arcSets(headers: readonly string[]): readonly ArcSet[] | { readonly problem: string } {
  const lines = new Map<string, string>();
  let count = 0;
  for (const line of headers) {
    const name = nameOf(line);
    if (name === undefined) continue;
    const instance = instanceOf(line, name);
    if (instance === undefined) return { problem: `bad instance number in ${name}` };
    const key = `${name} ${instance}`;
    if (lines.has(key)) return { problem: `duplicate ${name} for instance ${instance}` };
    lines.set(key, line);
    count = Math.max(count, instance);
  }
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= count; instance++) {
    const [results, message, sealing] = names.map((name) => lines.get(`${name} ${instance}`));
    if (results === undefined || message === undefined || sealing === undefined) {
      return { problem: `missing header lines for instance ${instance}` };
    }
    const signature = readSignature(message, ['d', 's', 'h', 'bh']);
    const seal = readSignature(sealing, ['d', 's', 'cv']);
    if (signature === undefined || signature.fault !== undefined)
      return { problem: `bad signature for instance ${instance}` };
    if (seal === undefined || seal.fault !== undefined) return { problem: `bad seal for instance ${instance}` };
    const chainValue = lower(withoutBlanks(parseTags(headerBody(sealing))?.get('cv') ?? ''));
    sets.push({ instance, results, signature, seal, chainValue });
  }
  return sets;
}
