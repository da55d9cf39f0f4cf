/** Operators that change the spelling of a text: case, quoting, escaping, parts of it. */

import { escapeSequence, printing } from '../../lib/escapes.ts';
import { lower, upper } from '../../lib/octets.ts';
import { quoteLocalPart } from '../../mail/address.ts';
import { decodeWords, encodeWords, UnknownCharset } from '../../mail/encoded-word.ts';
import type { Context } from '../context.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { hashText, numericHash, substring } from '../text-functions.ts';

/** The numbers behind the underscore of `substr_3_2`; each may be left out. */
function numbers(name: string, option: string, signed: boolean): readonly number[] {
  const pattern = signed ? /^(-?\d+)_(\d+)$|^-?\d*$/ : /^(\d+)_(\d+)$|^\d*$/;
  const found = pattern.exec(option);
  if (found === null) return fail(`non-digit after underscore in "${name}_${option}"`);
  return found[2] === undefined ? [Number(found[0])] : [Number(found[1]), Number(found[2])];
}

const length = (name: string): Operator => ({
  name,
  doc: 'the first octets of the text',
  evaluate: (text, option) => {
    const [count = 0, second] = numbers(name, option, false);
    return second === undefined ? text.slice(0, count) : fail(`non-digit after underscore in "${name}_${option}"`);
  },
});

const substr = (name: string): Operator => ({
  name,
  doc: 'a part of the text by offset and length',
  evaluate: (text, option) => {
    const [start = 0, count] = numbers(name, option, true);
    return substring(text, start, count);
  },
});

const hash = (name: string): Operator => ({
  name,
  doc: 'a text of given length computed from the text',
  evaluate: (text, option) => {
    const [count = 0, alphabet] = numbers(name, option, false);
    return hashText(text, count, alphabet);
  },
});

const nhash = (name: string): Operator => ({
  name,
  doc: 'a number computed from the text',
  evaluate: (text, option) => {
    const [first = 0, second] = numbers(name, option, false);
    return numericHash(text, first, second);
  },
});

export const textOperators: readonly Operator[] = [
  { name: 'lc', doc: 'letters in lower case', evaluate: (text) => lower(text.value) },
  { name: 'uc', doc: 'letters in upper case', evaluate: (text) => upper(text.value) },
  {
    name: 'escape',
    doc: 'non-printing characters as escape sequences',
    // tabs stay as they are
    evaluate: (text, _, c) =>
      text.value
        .split('\t')
        .map((piece) => printing(piece, c.settings.printTopBitCharacters))
        .join('\t'),
  },
  {
    name: 'escape8bit',
    doc: 'octets above 127, backslashes and DEL as escape sequences',
    evaluate: (text) => text.value.replace(/[\\\x7f-\xff]/g, escapeSequence),
  },
  {
    name: 'hexquote',
    doc: 'octets other than 33 to 126 as \\xNN',
    evaluate: (text) => text.value.replace(/[^!-~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`),
  },
  {
    name: 'quote',
    doc: 'in double quotes, if it needs them',
    evaluate: (text) =>
      /^[A-Za-z0-9_.-]+$/.test(text.value)
        ? text
        : `"${text.value.replace(/["\\\n\r]/g, (c) => (c === '\n' ? '\\n' : c === '\r' ? '\\r' : `\\${c}`))}"`,
  },
  {
    name: 'quote_local_part',
    doc: 'quoted as RFC 2822 wants a local part',
    evaluate: (text) => quoteLocalPart(text.value),
  },
  {
    name: 'rxquote',
    doc: 'a backslash before each character that is no letter or digit',
    evaluate: (text) => text.value.replace(/[^A-Za-z0-9]/g, '\\$&'),
  },
  {
    name: 'rfc2047',
    doc: 'as encoded words',
    evaluate: (text, _, c) => encodeWords(text.value, c.settings.headersCharset),
  },
  {
    name: 'rfc2047d',
    doc: 'encoded words decoded',
    evaluate: (text, _, c) => decoded(text.value, c),
  },
  {
    name: 'from_utf8',
    doc: 'UTF-8 as ISO-8859-1, other characters as underscores',
    evaluate: (text) => fromUtf8(text.value),
  },
  { name: 'utf8clean', doc: 'invalid UTF-8 as question marks', evaluate: (text) => cleanUtf8(text.value) },
  length('length'),
  length('l'),
  substr('substr'),
  substr('s'),
  hash('hash'),
  hash('h'),
  nhash('nhash'),
  nhash('nh'),
  { name: 'strlen', doc: 'octets of the text', evaluate: (text) => String(text.value.length) },
];

function decoded(text: string, { settings }: Context): string {
  try {
    return decodeWords(text, {
      checkLength: settings.checkRfc2047Length,
      charset: settings.headersCharset,
      strict: true,
    });
  } catch (error) {
    if (!(error instanceof UnknownCharset)) throw error;
    const what = `iconv_open("${settings.headersCharset}", "${error.message}") failed`;
    return fail(`${what}: Invalid argument (maybe unsupported conversion)`);
  }
}

/** Octets from 0xc0 on begin a character of 2 to 6 octets, whatever these are; others stand for themselves, as in Exim. */
function fromUtf8(octets: string): string {
  return octets.replace(
    /[\xc0-\xdf].?|[\xe0-\xef].{0,2}|[\xf0-\xf7].{0,3}|[\xf8-\xfb].{0,4}|[\xfc-\xff].{0,5}/gs,
    (character) => {
      const first = character.charCodeAt(0);
      const following = first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf8 ? 3 : first < 0xfc ? 4 : 5;
      let code = first & (following === 5 ? 1 : 0x3f >> following);
      for (let i = 1; i <= following; i++) code = code * 64 + ((character.charCodeAt(i) || 0) & 0x3f);
      return code > 255 ? '_' : String.fromCharCode(code);
    },
  );
}

/**
 * Whole UTF-8 characters stay. An octet that begins none becomes `?`; so does a character that breaks off, together
 * with the octet that broke it off unless that is ASCII; and so do surrogates and what is beyond U+10FFFF.
 */
function cleanUtf8(octets: string): string {
  return octets.replace(
    /[\xc2-\xdf](?:[\x80-\xbf]|[\xc0-\xff]?)|[\xe0-\xef](?:[\x80-\xbf]{2}|[\x80-\xbf]?[\xc0-\xff]?)|[\xf0-\xf7](?:[\x80-\xbf]{3}|[\x80-\xbf]{0,2}[\xc0-\xff]?)|[\x80-\xff]/g,
    (part) => (isCharacter(part) ? part : '?'),
  );
}

function isCharacter(part: string): boolean {
  return /^(?:[\xc2-\xdf]|[\xe0-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f]|[\xf0-\xf3][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf])[\x80-\xbf]$/.test(
    part,
  );
}
