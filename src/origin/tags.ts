/** Lists of `tag=value;`, as DKIM signatures, key records and their kin are written (RFC 6376 §3.2). */

import { trim } from '../lib/octets.ts';

/** The values by their tags, with the blanks in them; the last one counts. Nothing when the text is no such list. */
export function parseTags(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) found.set(trim(part.slice(0, equals)), trim(part.slice(equals + 1)));
    else if (trim(part) !== '') return undefined;
  }
  return found;
}

/** A value whose blanks mean nothing. */
export function withoutBlanks(value: string): string {
  return value.replace(/[ \t\r\n]+/g, '');
}

/** RFC 6376 §2.11: octets written as `=41`. */
export function decodeQuotedPrintable(value: string): string {
  return withoutBlanks(value).replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
