/** Text in quoted-printable form (RFC 2045 §6.7). */

import { upper } from '../../lib/octets.ts';

/** A line that has so many octets is broken before the next; with a code of three and `=` that makes 76. */
const fullLine = 73;

const hex = (character: string): string => `=${upper(character.charCodeAt(0).toString(16)).padStart(2, '0')}`;

function encodeLine(line: string): string {
  let result = '';
  let length = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    const isLast = at === line.length - 1;
    const isPlain = /[!-<>-~]/.test(character) || (/[ \t]/.test(character) && !isLast);
    const encoded = isPlain ? character : hex(character);
    if (length >= fullLine) {
      result += '=\n';
      length = 0;
    }
    result += encoded;
    length += encoded.length;
  }
  return result;
}

/** Lines of the result end with LF. A text that ends without one gets one. */
export function quotedPrintable(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `${encodeLine(line)}\n`).join('');
}
