/** URIs of the form `mailto:` (RFC 6068), as a method to notify somebody (RFC 5436). */

import { lower } from '../../lib/octets.ts';

export interface Mailto {
  /** Addresses with commas between them. */
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string | undefined;
  readonly body: string;
  /** Further header lines, each with its LF. */
  readonly headers: string;
}

const scheme = 'mailto:';
const field = /^([^=&]+)=([^&]*)$/;
const fieldName = /^[\x21-\x39\x3b-\x7e]+$/;

/** Lines that only the sender of the letter makes (RFC 5436 §2.7). */
const ownLines =
  /^(?:from|sender|date|message-id|auto-submitted|received|return-path|resent-.*|mime-version|content-.*)$/;

/** With `%40` decoded; what is no such code stays. */
const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A value of a header line: one line. */
const oneLine = (text: string): string => text.replace(/[\0\r\n]+/g, ' ');

const joined = (texts: readonly string[]): string => texts.filter((text) => text !== '').join(',');

export function parseMailto(uri: string): Mailto | { readonly error: string } {
  if (!uri.startsWith(scheme)) return { error: 'Unknown URI scheme' };
  const question = uri.indexOf('?');
  const to = uri.slice(scheme.length, question < 0 ? undefined : question);
  const fields = new Map<string, string[]>([['to', [oneLine(decoded(to))]]]);
  for (const part of question < 0 ? [] : uri.slice(question + 1).split('&')) {
    const [, name = '', value = ''] = field.exec(part) ?? [];
    if (name === '') return { error: 'Missing equal after hname' };
    const wanted = lower(decoded(name));
    if (!fieldName.test(wanted)) return { error: 'Syntactically invalid URI' };
    const text = wanted === 'body' ? decoded(value).replace(/\r\n/g, '\n') : oneLine(decoded(value));
    fields.set(wanted, [...(fields.get(wanted) ?? []), text]);
  }
  const values = (name: string): readonly string[] => fields.get(name) ?? [];
  const named = new Set(['to', 'cc', 'bcc', 'subject', 'body']);
  const others = [...fields].filter(([name]) => !named.has(name) && !ownLines.test(name));
  return {
    to: joined(values('to')),
    cc: joined(values('cc')),
    bcc: joined(values('bcc')),
    subject: values('subject')[0],
    body: values('body').join('\n'),
    headers: others.map(([name, texts]) => texts.map((text) => `${name}: ${text}\n`).join('')).join(''),
  };
}
