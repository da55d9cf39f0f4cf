/** Command lines of a configuration: split into words before anything is expanded, never seen by a shell (Exim spec 29.3). */

import { readQuoted } from './escapes.ts';

/**
 * The words of a command line. A word that begins with a double quote ends with one and may hold escapes; one in single
 * quotes is taken as it stands; a missing last quote is forgiven.
 */
export function splitCommand(text: string): string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    at += /^[ \t-\r]*/.exec(text.slice(at))?.[0].length ?? 0;
    if (at >= text.length) return words;
    if (text[at] === '"') {
      const quoted = readQuoted(text, at) ?? readQuoted(`${text}"`, at);
      words.push(quoted?.value ?? '');
      at = quoted?.end ?? text.length;
    } else if (text[at] === "'") {
      const close = text.indexOf("'", at + 1);
      const end = close < 0 ? text.length : close;
      words.push(text.slice(at + 1, end));
      at = end + 1;
    } else {
      const word = /^[^ \t-\r]+/.exec(text.slice(at))?.[0] ?? '';
      words.push(word);
      at += word.length;
    }
  }
}
