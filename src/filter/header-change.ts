/** Header lines that a system filter adds and removes (Exim spec 47.6). */

import { splitList } from '../lib/list-text.ts';
import { lower, trimStart } from '../lib/octets.ts';
import { type HeaderLine, headerLine, headerName } from '../mail/header-line.ts';
import type { HeaderChange } from './filter-outcome.ts';

/** The lines with the change: new ones come last, removed ones are only marked, as the spool keeps them. */
export function changedHeaders(headers: readonly HeaderLine[], change: HeaderChange): HeaderLine[] {
  if (change.kind === 'add') return [...headers, ...linesIn(change.text)];
  const names = new Set(splitList(change.names, ':').items.map(lower));
  return headers.map((line) => (names.has(lower(headerName(line.text))) ? { ...line, type: '*' } : line));
}

/** Several lines may be added at once; one that begins with a blank goes on with the one before. */
function linesIn(text: string): HeaderLine[] {
  const whole = trimStart(text);
  if (whole === '') return [];
  const ended = whole.endsWith('\n') ? whole : `${whole}\n`;
  return (ended.match(/[^\n]*\n(?:[ \t][^\n]*\n)*/g) ?? []).map((line) => headerLine(line));
}
