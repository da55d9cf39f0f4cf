/** Backslash sequences of quoted strings and of expansions (Exim spec 6.17, 11.2). */

const letters: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

/**
 * What the sequence at `at`, where a backslash stands, means, and how many characters it has: a letter of the table,
 * up to three octal digits, `x` and up to two hexadecimal digits, or any other character for itself. A backslash at
 * the end stands for itself.
 */
export function interpretEscape(text: string, at: number): { readonly value: string; readonly length: number } {
  const next = text[at + 1];
  if (next === undefined) return { value: '\\', length: 1 };
  const letter = letters.get(next);
  if (letter !== undefined) return { value: letter, length: 2 };
  const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (octal !== undefined)
    return { value: String.fromCharCode(Number.parseInt(octal, 8) & 0xff), length: 1 + octal.length };
  if (next === 'x') {
    const hex = /^[0-9A-Fa-f]{0,2}/.exec(text.slice(at + 2, at + 4))?.[0] ?? '';
    return { value: String.fromCharCode(Number.parseInt(hex || '0', 16)), length: 2 + hex.length };
  }
  return { value: next, length: 2 };
}

/** Reads a quoted string that begins at `at`; answers its value and where the text goes on, or nothing without an end. */
export function readQuoted(text: string, at: number): { readonly value: string; readonly end: number } | undefined {
  let value = '';
  let position = at + 1;
  while (position < text.length) {
    const character = text[position];
    if (character === '"') return { value, end: position + 1 };
    if (character === '\\') {
      const sequence = interpretEscape(text, position);
      value += sequence.value;
      position += sequence.length;
    } else {
      value += character;
      position++;
    }
  }
  return undefined;
}

const shown: ReadonlyMap<string, string> = new Map(
  [...letters].map(([letter, character]) => [character, `\\${letter}`]),
);

/** The escape sequence that stands for a character: a letter where there is one, else three octal digits. */
export function escapeSequence(character: string): string {
  return shown.get(character) ?? `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}

/** What `printing` does, with tabs as they are: the form of messages in log lines and letters. */
export function printingLine(text: string, eightBit: boolean): string {
  return text.replace(eightBit ? /[\x00-\x08\n-\x1f\x7f]/g : /[\x00-\x08\n-\x1f\x7f-\xff]/g, escapeSequence);
}

/** Control characters and (unless `eightBit`) octets above 126 as escape sequences, for logs and people. */
export function printing(text: string, eightBit = false): string {
  return text.replace(eightBit ? /[\x00-\x1f\x7f]/g : /[\x00-\x1f\x7f-\xff]/g, escapeSequence);
}
