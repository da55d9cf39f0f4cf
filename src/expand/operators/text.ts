/** Operators that change the spelling of a text: case, quoting, escaping, parts of it. */

import { escapeSequence, printing } from '../../lib/escapes.ts';
import { lower, upper } from '../../lib/octets.ts';
import { quoteLocalPart } from '../../mail/address.ts';
import { decodeWords, encodeWords } from '../../mail/encoded-word.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { hashText, numericHash, substring } from '../text-functions.ts';

/** The numbers behind the underscore of `substr_3_2`; each may be left out. */
function numbers(name: string, option: string, signed: boolean): readonly number[] {
  const pattern = signed ? /^(-?\d*)(?:_(\d+))?$/ : /^(\d*)(?:_(\d+))?$/;
  const found = pattern.exec(option);
  if (found === null) return fail(`non-digit after underscore in "${name}_${option}"`);
  return [Number(found[1]), ...(found[2] === undefined ? [] : [Number(found[2])])];
}

const length = (name: string): Operator => ({
  name,
  doc: 'the first octets of the text',
  evaluate: (text, option) => text.slice(0, numbers(name, option, false)[0] ?? 0),
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

export const textOperators: readonly Operator[] = [
  { name: 'lc', doc: 'letters in lower case', evaluate: (text) => lower(text.value) },
  { name: 'uc', doc: 'letters in upper case', evaluate: (text) => upper(text.value) },
  {
    name: 'escape',
    doc: 'non-printing characters as escape sequences',
    evaluate: (text, _, c) => printing(text.value, c.settings.printTopBitCharacters),
  },
  {
    name: 'escape8bit',
    doc: 'octets above 127, backslashes and DEL as escape sequences',
    evaluate: (text) => text.value.replace(/[\x00-\x1f\\\x7f-\xff]/g, escapeSequence),
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
    evaluate: (text, _, c) =>
      decodeWords(text.value, { checkLength: c.settings.checkRfc2047Length, charset: c.settings.headersCharset }),
  },
  {
    name: 'from_utf8',
    doc: 'UTF-8 as ISO-8859-1, other characters as underscores',
    evaluate: (text) =>
      Buffer.from(text.value, 'latin1')
        .toString('utf8')
        .replace(/[^\x00-\xff]/gu, '_'),
  },
  { name: 'utf8clean', doc: 'invalid UTF-8 as question marks', evaluate: (text) => cleanUtf8(text.value) },
  length('length'),
  length('l'),
  substr('substr'),
  substr('s'),
  hash('hash'),
  hash('h'),
  {
    name: 'nhash',
    doc: 'a number computed from the text',
    evaluate: (text, option) => {
      const [first = 0, second] = numbers('nhash', option, false);
      return numericHash(text, first, second);
    },
  },
  { name: 'strlen', doc: 'octets of the text', evaluate: (text) => String(text.value.length) },
];

/** Whole UTF-8 characters stay; an octet that begins none, and a character that breaks off, become one `?`. */
function cleanUtf8(octets: string): string {
  const character =
    /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([^\x00-\x7f][\x80-\xbf]*)/g;
  return octets.replace(character, (whole, bad: string | undefined) => (bad === undefined ? whole : '?'));
}
