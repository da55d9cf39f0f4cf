/** The header lines by which an answer refers to a message (RFC 5322 §3.6.4), as Exim makes them for bounces and replies. */

import { lower, trim } from '../lib/octets.ts';
import { type HeaderLine, headerBody, headerName } from './header-line.ts';

/** Identifications that are kept of a long list: the first, and the last ones. */
const mostKept = 12;

/** The value of a header line of a message. */
export function originalHeader(headers: readonly HeaderLine[], name: string): string | undefined {
  const found = headers.find(({ type, text }) => type !== '*' && lower(headerName(text)) === name);
  return found === undefined ? undefined : trim(headerBody(found.text));
}

/** The identifications that a text begins with, comments left out, and whether anything else stands behind them. */
function leadingIds(text: string): { readonly ids: readonly string[]; readonly hasMore: boolean } {
  const ids: string[] = [];
  const item = /[ \t\r\n]+|\([^()]*\)|<[^<> \t\r\n]*@[^<> \t\r\n]*>/y;
  let at = 0;
  for (let found = item.exec(text); found !== null; found = item.exec(text)) {
    if (found[0].startsWith('<')) ids.push(found[0]);
    at = item.lastIndex;
  }
  return { ids, hasMore: at < text.length };
}

/** What the message itself refers to: its References, else its In-Reply-To when that is one identification. */
function ownReferences(headers: readonly HeaderLine[]): readonly string[] {
  const references = originalHeader(headers, 'references');
  if (references !== undefined) return leadingIds(references).ids;
  const { ids, hasMore } = leadingIds(originalHeader(headers, 'in-reply-to') ?? '');
  return ids.length === 1 && !hasMore ? ids : [];
}

/** The References: line of an answer to a message with these header lines, if there is anything to refer to. */
export function referencesTo(headers: readonly HeaderLine[]): string[] {
  const ids = ownReferences(headers);
  const kept = ids.length > mostKept ? [ids[0], ...ids.slice(1 - mostKept)] : ids;
  const messageId = originalHeader(headers, 'resent-message-id') ?? originalHeader(headers, 'message-id');
  const all = messageId === undefined ? kept : [...kept, messageId];
  return all.length === 0 ? [] : [`References: ${all.join(' ')}\n`];
}
