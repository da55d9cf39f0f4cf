/** `${hex:40 41}` and `${unicode:40 2603}` in strings (RFC 5228 §2.4.2.4). What is not of that form stays as it is. */

export class UnicodeOutOfRange extends Error {}

const encoded =
  /\$\{(?:hex:[ \t]*((?:[0-9a-f]{1,2}[ \t]+)*[0-9a-f]{1,2})[ \t]*|unicode:[ \t]*((?:[0-9a-f]+[ \t]+)*[0-9a-f]+)[ \t]*)\}/gi;

const lastCharacter = 0x10ffff;

function utf8(digits: string): string {
  const code = Number.parseInt(digits, 16);
  if (code > lastCharacter || (code >= 0xd800 && code <= 0xdfff)) throw new UnicodeOutOfRange();
  return Buffer.from(String.fromCodePoint(code)).toString('latin1');
}

/** The string with these decoded. @throws UnicodeOutOfRange for what is no character */
export function decodeCharacters(text: string): string {
  if (!text.includes('${')) return text;
  return text.replace(encoded, (_, octets: string | undefined, characters: string | undefined) => {
    if (octets !== undefined) {
      return octets
        .split(/[ \t]+/)
        .map((digits) => String.fromCharCode(Number.parseInt(digits, 16)))
        .join('');
    }
    return (characters ?? '')
      .split(/[ \t]+/)
      .map(utf8)
      .join('');
  });
}
