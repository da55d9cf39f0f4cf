/** Base 64 of byte strings (RFC 4648 §4), taken strictly: whoever sends half a word has made a mistake. */

export function encodeBase64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

/** What was encoded; blanks are passed over. Nothing when the text is no base 64. */
export function decodeBase64(text: string): string | undefined {
  const words = text.replace(/[ \t-\r]+/g, '');
  const isWhole = words.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(words) && !words.startsWith('=');
  return isWhole ? Buffer.from(words, 'base64').toString('latin1') : undefined;
}
