/** One header line as it is kept with a message on the spool (Exim spec 57.1). */

import { lower, trimEnd } from '../lib/octets.ts';
export interface HeaderLine {
  /** A letter for those lines the program needs to find again, `*` for one to be left out, a blank for all others. */
  readonly type: HeaderType;
  /** The whole line with its continuations; lines end with LF, the last one too. */
  readonly text: string;
}

/**
 * B Bcc, C Cc, F From, I Message-Id, P Received, R Reply-To, S Sender, T To, `*` replaced or deleted, blank other.
 */
export type HeaderType = 'B' | 'C' | 'F' | 'I' | 'P' | 'R' | 'S' | 'T' | '*' | ' ';

const types: ReadonlyMap<string, HeaderType> = new Map([
  ['bcc', 'B'],
  ['cc', 'C'],
  ['from', 'F'],
  ['message-id', 'I'],
  ['received', 'P'],
  ['reply-to', 'R'],
  ['sender', 'S'],
  ['to', 'T'],
]);

/** The name of a header line, without its colon; empty when the line has none. */
export function headerName(text: string): string {
  const colon = text.indexOf(':');
  return colon < 0 ? '' : trimEnd(text.slice(0, colon));
}

/** What follows the colon, with its leading blanks and its last LF. */
export function headerBody(text: string): string {
  return text.slice(text.indexOf(':') + 1);
}

export function headerLine(text: string): HeaderLine {
  return { type: types.get(lower(headerName(text)).replace(/^resent-/, '')) ?? ' ', text };
}
