/**
 * What the header lines of a MIME part say of it, as Exim reads them (Exim spec 45.4; RFC 2045 §5, RFC 2183, RFC 2231).
 * It reads more than the RFCs allow, because mail programs do: what it finds is what an attacker wanted them to find.
 */

import { lower } from '../lib/octets.ts';
import { decodeWords } from './encoded-word.ts';

/** Octets of a header line that are looked at, blanks and comments not counted. */
const longestLine = 8192;

export interface MimeHeader {
  /** In lower case, without blanks, comments and parameters; empty when there is no such line. */
  contentType: string;
  contentTransferEncoding: string;
  contentDisposition: string;
  contentDescription: string;
  contentId: string;
  boundary: string;
  charset: string;
  /** Decoded; it may hold anything. */
  filename: string;
}

export function emptyMimeHeader(): MimeHeader {
  return {
    contentType: '',
    contentTransferEncoding: '',
    contentDisposition: '',
    contentDescription: '',
    contentId: '',
    boundary: '',
    charset: '',
    filename: '',
  };
}

type Field = 'contentType' | 'contentTransferEncoding' | 'contentDisposition' | 'contentDescription' | 'contentId';

const fields: ReadonlyMap<string, Field> = new Map([
  ['content-type', 'contentType'],
  ['content-transfer-encoding', 'contentTransferEncoding'],
  ['content-disposition', 'contentDisposition'],
  ['content-description', 'contentDescription'],
  ['content-id', 'contentId'],
]);

/**
 * Takes a header line in as it comes, octet by octet, so that its length costs nothing. Blanks, comments and quoting
 * backslashes go, except in the value of a parameter, which keeps what is printable and ends with a semicolon even
 * within quotes.
 */
export class MimeHeaderLine {
  #text = '';
  #inValue = false;
  #atValueStart = false;
  #comments = 0;
  #escaped = false;

  /** A backslash at the end of a line hides that end: the next line belongs to this one, whatever it is. */
  isOpen = false;

  /** Takes a line of the field with its end; when it is a continuation, without the blank in front. */
  push(line: string): void {
    this.isOpen = false;
    for (const character of line) {
      if (this.#text.length >= longestLine) return;
      if (character === '\n') this.isOpen = this.#escaped;
      if (character !== '\n' || this.isOpen) this.#take(character);
    }
  }

  #take(character: string): void {
    if (this.#inValue) {
      this.#takeOfValue(character);
      return;
    }
    if (this.#escaped) {
      this.#escaped = false;
      if (this.#comments === 0) this.#add(character);
    } else if (character === '\\') this.#escaped = true;
    else if (character === '(') this.#comments++;
    else if (this.#comments > 0) this.#comments -= character === ')' ? 1 : 0;
    else if (character > ' ') {
      if (character === '=') {
        this.#inValue = true;
        this.#atValueStart = true;
      }
      this.#add(character);
    }
  }

  #takeOfValue(character: string): void {
    const isBlankInFront = this.#atValueStart && character === ' ';
    if (character < ' ' || isBlankInFront) return;
    this.#atValueStart = false;
    if (character === ';') this.#inValue = false;
    this.#add(character);
  }

  #add(character: string): void {
    this.#text += character;
  }

  /** The line is whole: notes what it says. */
  read(into: MimeHeader, checkLength: boolean): void {
    this.push(';');
    const [, name = '', body = ''] = /^([a-z-]+):(.*)$/is.exec(this.#text) ?? [];
    const field = fields.get(lower(name));
    if (field === undefined) return;
    const end = body.indexOf(';');
    into[field] = lower(body.slice(0, end));
    if (end >= 0) readParameters(body.slice(end + 1), into, checkLength);
  }
}

type Parameter = 'boundary' | 'charset' | 'filename';

const plainParameters: ReadonlyMap<string, Parameter> = new Map([
  ['boundary', 'boundary'],
  ['charset', 'charset'],
  ['name', 'filename'],
  ['filename', 'filename'],
]);

/** `name*=`, `filename*0=`, `filename*1*=` (RFC 2231 §3, §4); Exim takes them in the order they come in. */
const extended = /^(?:file)?name\*\d*\*?=/i;

/** Reads `name=value;…`; a semicolon within quotes ends nothing. */
function readParameters(text: string, into: MimeHeader, checkLength: boolean): void {
  const collected = new ExtendedName();
  for (const [parameter] of text.matchAll(/(?:[^";]|"[^"]*(?:"|$))+/g)) {
    const equals = parameter.indexOf('=');
    if (equals < 0) continue;
    const value = parameter.slice(equals + 1).replaceAll('"', '');
    const plain = plainParameters.get(lower(parameter.slice(0, equals)));
    if (plain !== undefined) into[plain] = decodeWords(value, { checkLength, nul: ' ' });
    else if (extended.test(parameter)) into.filename = collected.add(value) ?? into.filename;
  }
}

/** A file name in pieces: `charset'language'text` with octets as %XX, then more of it. */
class ExtendedName {
  #charset: string | undefined;
  #encoded = '';
  #isBroken = false;

  /** What the name is with the next piece; nothing when it cannot be decoded. */
  add(piece: string): string | undefined {
    let text = piece;
    if (this.#charset === undefined) {
      const quote = piece.indexOf("'");
      this.#charset = quote < 0 ? '' : piece.slice(0, quote).replaceAll(' ', '\0');
      text = quote < 0 ? piece : piece.slice(quote).replace(/^'+/, '');
    }
    const word = `=?${this.#charset}?Q?${text.replace(/%([0-9A-Fa-f]{2})/g, '=$1')}?=`;
    this.#isBroken ||= decode(word) === word && text !== '';
    this.#encoded += word;
    // a blank may stand in the name of a character set, but in no other encoded word
    return this.#isBroken ? undefined : decode(this.#encoded).replaceAll('\0', ' ');
  }
}

const decode = (words: string): string => decodeWords(words, { checkLength: false, nul: ' ' });
