/** Encoded words in header lines, `=?charset?encoding?text?=` (RFC 2047). */

import { isCharset, translate } from '../lib/charsets.ts';
import { lower, upper } from '../lib/octets.ts';

const maximumWordLength = 75;

/** A word is in a character set that nobody knows. */
export class UnknownCharset extends Error {}

export interface DecodeOptions {
  /** Refuse words longer than RFC 2047 §2 allows. */
  readonly checkLength: boolean;
  /** The character set wanted; nothing leaves the decoded octets as they are. */
  readonly charset?: string | undefined;
  /** A character set that is not known is an error, `UnknownCharset` with its name; else the octets stay. */
  readonly strict?: boolean;
  /** What stands for a NUL octet, which no text may hold. */
  readonly nul?: string;
}

const word = /=\?([^? \t-\r]*)\?(?:([Qq])\?((?:[^? \t-\r]|\?(?!=))*)|([Bb])\?([^?\t-\r]*))\?=/g;

function decodeQ(text: string): string | undefined {
  if (/=(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text.replaceAll('_', ' ').replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeB(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/ ]*={0,2}$/.test(text) || text.replaceAll(' ', '').length % 4 !== 0) return undefined;
  return Buffer.from(text, 'base64').toString('latin1');
}

function decodeWord(
  whole: string,
  charset: string,
  encoding: string,
  text: string,
  options: DecodeOptions,
): string | undefined {
  if (options.checkLength && whole.length > maximumWordLength) return undefined;
  const octets = lower(encoding) === 'q' ? decodeQ(text) : decodeB(text);
  if (octets === undefined) return undefined;
  const language = charset.indexOf('*');
  if (options.strict === true && options.charset !== undefined && charset !== '' && !isCharset(charset))
    throw new UnknownCharset(charset);
  const from = language < 0 ? charset : charset.slice(0, language);
  const wanted = options.charset === undefined ? octets : (translate(octets, from, options.charset) ?? octets);
  return wanted.replaceAll('\0', options.nul ?? '?');
}

/** The text with its encoded words decoded; blanks between two of them are dropped. A bad word stays as it is. */
export function decodeWords(text: string, options: DecodeOptions): string {
  if (!text.includes('=?')) return text;
  let result = '';
  let last = 0;
  let afterWord = false;
  word.lastIndex = 0;
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    const [whole, charset = '', q, quoted, , encoded] = match;
    const decoded = decodeWord(whole, charset, q === undefined ? 'b' : 'q', quoted ?? encoded ?? '', options);
    if (decoded === undefined) {
      // what looked like its text may be a word that is a good one
      word.lastIndex = match.index + 2;
      continue;
    }
    const between = text.slice(last, match.index);
    if (!(afterWord && /^[ \t\r\n]*$/.test(between))) result += between;
    result += decoded;
    last = match.index + whole.length;
    afterWord = true;
  }
  return result + text.slice(last);
}

/** The text as encoded words of `charset`, unless it holds nothing that needs it (Exim spec 11.6, rfc2047). */
export function encodeWords(text: string, charset: string): string {
  if (!/[^ -~]|[?=()<>@,;:\\".[\]_]/.test(text)) return text;
  const start = `=?${charset}?Q?`;
  let result = start;
  const isUtf8 = /^utf-?8$/i.test(charset);
  // as in Exim, the beginning of the first word is not counted
  let length = 0;
  for (const character of text) {
    if (length > 67 && !(isUtf8 && /[\x80-\xbf]/.test(character))) {
      result += `?= ${start}`;
      length = start.length;
    }
    const encoded =
      character === ' '
        ? '_'
        : /[\x00-\x20\x7f-\xff?=()<>@,;:\\".[\]_]/.test(character)
          ? `=${upper(character.charCodeAt(0).toString(16)).padStart(2, '0')}`
          : character;
    result += encoded;
    length += encoded.length;
  }
  return `${result}?=`;
}
