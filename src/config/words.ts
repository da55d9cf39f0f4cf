/** Takes words of a configuration line apart; one that holds blanks stands in double quotes. */

import { readQuoted } from '../lib/escapes.ts';
import { trimStart } from '../lib/octets.ts';

export interface Word {
  readonly value: string;
  readonly rest: string;
}

/** The next word up to a blank, or a quoted one with its escapes; nothing when the closing quote is missing. */
export function nextWord(text: string): Word | undefined {
  const start = trimStart(text);
  if (!start.startsWith('"')) {
    const value = /^[^ \t-\r]*/.exec(start)?.[0] ?? '';
    return { value, rest: trimStart(start.slice(value.length)) };
  }
  const quoted = readQuoted(start, 0);
  return quoted === undefined ? undefined : { value: quoted.value, rest: trimStart(start.slice(quoted.end)) };
}
