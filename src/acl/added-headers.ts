/** Header lines that ACLs add (Exim spec 44.24). */

import type { AclRun, AddedHeader, HeaderPlace } from './acl.ts';

const places: ReadonlySet<string> = new Set<HeaderPlace>(['at_end', 'at_start', 'after_received', 'at_start_rfc']);

function isPlace(word: string): word is HeaderPlace {
  return places.has(word);
}

/** Header lines of a text: one or more; a continuation line stays with its header. A text that is none gets a name. */
export function parseAddedHeaders(text: string): AddedHeader[] {
  const added: AddedHeader[] = [];
  for (const line of text.replace(/^\n+|\n+$/g, '').split('\n')) {
    const last = added.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) {
      added[added.length - 1] = { ...last, text: `${last.text}${line}\n` };
      continue;
    }
    const [, word = '', rest] = /^:([a-z_]+):[ \t-\r]*(.*)$/s.exec(line) ?? [];
    const place = isPlace(word) ? word : 'at_end';
    const header = isPlace(word) ? (rest ?? '') : line;
    if (header === '') continue;
    added.push({ place, text: /^[!-9;-~]*[ \t]*:/.test(header) ? `${header}\n` : `X-ACL-Warn: ${header}\n` });
  }
  return added;
}

/** Notes header lines for the message, each once. */
export function addHeaders(text: string, run: AclRun): void {
  for (const header of parseAddedHeaders(text)) {
    if (!run.addedHeaders.some((known) => known.text === header.text)) run.addedHeaders.push(header);
  }
}
