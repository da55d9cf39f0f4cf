/**
 * Letters and blanks of byte strings. A byte string has one character per octet, so the string methods of JavaScript,
 * which know Latin-1, would take octet A0 for a blank and C9 for a capital letter, and spoil UTF-8 text.
 */

const foreign = /[\x80-\xff]/;

/** In lower case, ASCII letters only. */
export function lower(text: string): string {
  return foreign.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text.toLowerCase();
}

/** In upper case, ASCII letters only. */
export function upper(text: string): string {
  return foreign.test(text) ? text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : text.toUpperCase();
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** Without blanks, tabs, line ends, vertical tabs and form feeds in front. */
export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isBlank(text.charCodeAt(start))) start++;
  return start === 0 ? text : text.slice(start);
}

/** The same at the end. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** The same at both ends. */
export function trim(text: string): string {
  return trimEnd(trimStart(text));
}
