/** Header lines as DKIM hashes them (RFC 6376 §3.4.1, §3.4.2, §3.7). Lines come with LF, as the spool keeps them. */

import { lower, trim } from '../lib/octets.ts';
import { headerBody, headerName } from '../mail/header-line.ts';
import type { Canonicalization } from './canonical-body.ts';

/** One header line, without the line end behind it. */
export function canonicalHeader(line: string, canonicalization: Canonicalization): string {
  if (canonicalization === 'simple') return line.replace(/\n$/, '').replaceAll('\n', '\r\n');
  return `${lower(headerName(line))}:${trim(headerBody(line).replace(/[ \t\r\n]+/g, ' '))}`;
}

/** The header line of a signature, with nothing where the signature itself stands. */
export function withoutSignature(line: string): string {
  const colon = line.indexOf(':') + 1;
  const tags = line
    .slice(colon)
    .split(';')
    .map((tag) => /^[ \t\r\n]*b[ \t\r\n]*=/.exec(tag)?.[0] ?? tag);
  return line.slice(0, colon) + tags.join(';');
}

/**
 * The header lines that a list of names stands for, each with the line end behind it: of several with one name the last
 * comes first, and a name that is once too often in the list stands for nothing.
 */
export function signedHeaders(
  headers: readonly string[],
  names: readonly string[],
  canonicalization: Canonicalization,
): string {
  const byName = new Map<string, string[]>();
  for (const line of headers) {
    const name = lower(headerName(line));
    const lines = byName.get(name);
    if (lines === undefined) byName.set(name, [line]);
    else lines.push(line);
  }
  let text = '';
  for (const name of names) {
    const line = byName.get(lower(trim(name)))?.pop();
    if (line !== undefined) text += `${canonicalHeader(line, canonicalization)}\r\n`;
  }
  return text;
}
