/**
 * Mail addresses as they stand in SMTP commands and header lines (RFC 5321 §4.1.2, RFC 5322 §3.4), read as leniently as
 * Exim reads them: phrases, comments, source routes (dropped) and local parts with dots in any place. Errors are in
 * Exim's words, as clients and logs show them.
 */

import { isUtf8 } from 'node:buffer';
import { trim, trimEnd, trimStart } from '../lib/octets.ts';

/** A domain behind `@`, or nothing for an address that has yet to be qualified. */
export interface ParsedAddress {
  /** `local_part@domain` without phrase, comments and route; empty for `<>`. */
  readonly address: string;
  readonly localPart: string;
  readonly domain: string | undefined;
}

export type AddressResult = ParsedAddress | { readonly error: string };

export interface AddressOptions {
  /** `<>` is an address (a reverse path). */
  readonly allowEmpty?: boolean;
  /** `user@[192.0.2.1]` is an address; `any`: whatever stands in the brackets. */
  readonly allowDomainLiterals?: boolean | 'any';
  /** Octets above 127 may stand in the domain (SMTPUTF8). */
  readonly utf8?: boolean;
  /** Domains may have characters in UTF-8, whatever local parts may (allow_utf8_domains). */
  readonly utf8Domain?: boolean;
  /** A dot behind the domain is dropped (strip_trailing_dot). */
  readonly stripTrailingDot?: boolean;
  /** `<<a@b>>` is `<a@b>` (strip_excess_angle_brackets). */
  readonly stripExcessBrackets?: boolean;
}

export const maximumAddressLength = 256;

class Malformed {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

// no group is repeated here: a repetition of groups overflows the stack on long text
const atomPart = /[^\x00-\x20()<>@,;:\\".[\]\x7f]+|\\[^\n]|\\$/y;
const quotedEnd = /["\\]/g;

/** Where the quoted string that begins at `at` ends, behind its closing quote; nothing when it does not. */
function endOfQuoted(text: string, at: number): number | undefined {
  for (let from = at + 1; ; ) {
    quotedEnd.lastIndex = from;
    const found = quotedEnd.exec(text);
    if (found === null) return undefined;
    if (found[0] === '"') return found.index + 1;
    from = found.index + 2;
  }
}

/** An address in brackets; whether it is one of a host is not looked at. */
const domainLiteral = /\[(?:IPv[46]:)?[0-9a-f.:]*\]/iy;

const anyLiteral = /\[[^\x00-\x20\]\x7f]*\]/y;

const label = /[A-Za-z0-9](?:[A-Za-z0-9-]*)/y;
const utf8DomainLabel =
  /(?:[A-Za-z0-9]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})(?:[A-Za-z0-9-]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*/y;
const utf8Label = /[A-Za-z0-9\x80-\xff][A-Za-z0-9\x80-\xff-]*/y;

class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get next(): string {
    return this.text[this.at] ?? '';
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  /** An atom, with whatever is escaped in it. */
  takeAtom(): string {
    const { at } = this;
    while (this.take(atomPart) !== '');
    return this.text.slice(at, this.at);
  }

  /** A quoted string, with its quotes. */
  takeQuoted(): string {
    const { at } = this;
    this.at = endOfQuoted(this.text, at) ?? at;
    return this.text.slice(at, this.at);
  }

  accept(character: string): boolean {
    if (this.next !== character) return false;
    this.at++;
    return true;
  }

  /** Blanks and comments; an unclosed comment reaches to the end. */
  skip(): void {
    for (;;) {
      this.take(/[ \t\r\n\v\f]+/y);
      if (this.next !== '(') return;
      this.at = endOfComment(this.text, this.at);
    }
  }
}

/** Where the text goes on behind the comment that begins at `at`. */
function endOfComment(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '(') depth++;
    else if (character === ')' && --depth === 0) return i + 1;
  }
  return text.length;
}

/** Words and dots, in any order. */
function readLocalPart(scanner: Scanner): string {
  let found = '';
  let word = false;
  for (;;) {
    scanner.skip();
    if (scanner.next === '.') {
      scanner.at++;
      found += '.';
      word = false;
    } else if (word) {
      return found;
    } else if (scanner.next === '"') {
      const text = scanner.takeQuoted();
      if (text === '') throw new Malformed('unmatched doublequote in local part');
      found += text;
      word = true;
    } else {
      const text = scanner.takeAtom();
      if (text === '') return found;
      found += text;
      word = true;
    }
  }
}

/** A domain in UTF-8 must be that. */
function wellFormed(domain: string, { utf8 }: AddressOptions): string {
  if (utf8 && !isUtf8(Buffer.from(domain, 'latin1'))) throw new Malformed('invalid UTF-8 byte sequence');
  return domain;
}

function readDomain(scanner: Scanner, options: AddressOptions): string {
  scanner.skip();
  if (scanner.next === '[') {
    if (!options.allowDomainLiterals) throw new Malformed('domain literals not allowed');
    const literal = scanner.take(options.allowDomainLiterals === 'any' ? anyLiteral : domainLiteral);
    if (literal === '') throw new Malformed('malformed domain literal');
    scanner.skip();
    return literal;
  }
  let found = '';
  for (;;) {
    const part = scanner.take(options.utf8 ? utf8Label : options.utf8Domain ? utf8DomainLabel : label);
    if (part === '') throw new Malformed('domain missing or malformed');
    found += part;
    scanner.skip();
    if (!scanner.accept('.')) return wellFormed(found, options);
    scanner.skip();
    if (options.stripTrailingDot && endsDomain(scanner)) return wellFormed(found, options);
    found += '.';
  }
}

function endsDomain(scanner: Scanner): boolean {
  return scanner.atEnd || scanner.next === '>';
}

/** `@a,@b:` in front of an address; it has no effect (RFC 5321 appendix C). */
function skipRoute(scanner: Scanner, options: AddressOptions): void {
  if (!scanner.text.slice(scanner.at).includes(':')) {
    const hasName = /^@[ \t\r\n]*[A-Za-z0-9[]/.test(scanner.text.slice(scanner.at));
    throw new Malformed(hasName ? 'no local part' : 'domain missing or malformed');
  }
  for (;;) {
    if (!scanner.accept('@')) throw new Malformed('colon expected after route list');
    readDomain(scanner, options);
    if (scanner.accept(':')) return;
    if (!scanner.accept(',')) throw new Malformed('colon expected after route list');
    scanner.skip();
  }
}

/** An address with a route, but without angle brackets. */
function readRouted(scanner: Scanner, options: AddressOptions): ParsedAddress {
  skipRoute(scanner, options);
  const localPart = readLocalPart(scanner);
  if (localPart === '') throw new Malformed('missing or malformed local part');
  if (!scanner.accept('@')) throw new Malformed('domain missing in source-routed address');
  return whole(localPart, readDomain(scanner, options));
}

/** Inside angle brackets; the opening one was passed. */
function readRouteAddress(scanner: Scanner, options: AddressOptions): ParsedAddress {
  scanner.skip();
  if (options.stripExcessBrackets && scanner.next === '<') return readExcess(scanner, options);
  let routed = false;
  if (scanner.next === '@') {
    skipRoute(scanner, options);
    scanner.skip();
    routed = true;
  } else if (options.allowEmpty && scanner.accept('>')) {
    return { address: '', localPart: '', domain: undefined };
  }
  const localPart = readLocalPart(scanner);
  if (localPart === '') throw new Malformed('missing or malformed local part');
  let domain: string | undefined;
  if (scanner.accept('@')) domain = readDomain(scanner, options);
  else if (routed) throw new Malformed('domain missing in source-routed address');
  else if (scanner.next !== '>') throw new Malformed(`"@" or "." expected after "${localPart}"`);
  if (!scanner.accept('>')) {
    throw new Malformed(scanner.atEnd ? "'>' missing at end of address" : mayNotFollow(scanner));
  }
  return whole(localPart, domain);
}

/** Brackets within brackets: as many must close as open. */
function readExcess(scanner: Scanner, options: AddressOptions): ParsedAddress {
  scanner.at++;
  const found = readRouteAddress(scanner, options);
  scanner.skip();
  if (!scanner.accept('>')) {
    throw new Malformed(scanner.atEnd ? "'>' missing at end of address" : mayNotFollow(scanner));
  }
  return found;
}

function whole(localPart: string, domain: string | undefined): ParsedAddress {
  return { address: domain === undefined ? localPart : `${localPart}@${domain}`, localPart, domain };
}

function mayNotFollow(scanner: Scanner): string {
  return `malformed address: ${scanner.text.slice(scanner.at)} may not follow ${scanner.text.slice(0, scanner.at)}`;
}

/** Passes over a phrase up to the opening angle bracket. */
function skipPhrase(scanner: Scanner): void {
  for (;;) {
    scanner.skip();
    if (scanner.accept('<')) return;
    const isQuoted = scanner.next === '"';
    const word = scanner.accept('.') ? '.' : isQuoted ? scanner.takeQuoted() : scanner.takeAtom();
    if (word !== '') continue;
    const problem = isQuoted ? 'unmatched doublequote in local part' : 'missing or malformed local part';
    throw new Malformed(`${problem} (expected word or "<")`);
  }
}

function readMailbox(scanner: Scanner, options: AddressOptions): ParsedAddress {
  scanner.skip();
  if (scanner.atEnd) throw new Malformed('empty address');
  if (scanner.accept('<')) return readRouteAddress(scanner, options);
  if (scanner.next === '@' && trim(scanner.text.slice(scanner.at + 1)) !== '') return readRouted(scanner, options);
  const localPart = readLocalPart(scanner);
  if (scanner.accept('@')) return whole(localPart, readDomain(scanner, options));
  if (scanner.atEnd && localPart !== '') return whole(localPart, undefined);
  skipPhrase(scanner);
  return readRouteAddress(scanner, options);
}

/** Reads one address, which must be all that `text` holds. */
export function parseAddress(text: string, options: AddressOptions = {}): AddressResult {
  const scanner = new Scanner(text);
  try {
    const found = readMailbox(scanner, options);
    scanner.skip();
    if (!scanner.atEnd) throw new Malformed(mayNotFollow(scanner));
    if (found.address.length > maximumAddressLength) {
      throw new Malformed(`address is ridiculously long: ${found.address.slice(0, 64)}...`);
    }
    return found;
  } catch (error) {
    if (error instanceof Malformed) return { error: error.message };
    throw error;
  }
}

/**
 * Where the address that begins at `at` ends: at a comma, or the semicolon of a group, that stands outside quotes,
 * comments and angle brackets; or at the end of the text.
 */
export function endOfAddress(text: string, at: number, inGroup = false): number {
  for (let i = at; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '(') i = endOfComment(text, i) - 1;
    else if (character === '"') {
      const end = endOfQuoted(text, i);
      if (end === undefined) return text.length;
      i = end - 1;
    } else if (character === '<') {
      const close = text.indexOf('>', i);
      if (close < 0) return text.length;
      i = close;
    } else if (character === ',' || (inGroup && character === ';')) return i;
  }
  return text.length;
}

/** Where an item of a list stands, without the blanks around it. */
export interface ListItem {
  readonly start: number;
  readonly end: number;
}

/** The text of each address in a header's list, groups opened (RFC 5322 §3.4). Empty items are left out. */
export function splitAddressList(text: string): string[] {
  return addressItems(text).map(({ start, end }) => text.slice(start, end));
}

/** Where the addresses of a list stand: of a header's, or of one that knows no groups. */
export function addressItems(text: string, withGroups = true): ListItem[] {
  const found: ListItem[] = [];
  let at = 0;
  let inGroup = false;
  while (at < text.length) {
    if (withGroups && !inGroup) {
      const group = groupStart(text, at);
      if (group !== undefined) {
        inGroup = true;
        at = group;
      }
    }
    const end = endOfAddress(text, withGroups ? at : behindRoute(text, at), inGroup);
    const start = at + text.slice(at, end).length - trimStart(text.slice(at, end)).length;
    const stop = start + trimEnd(text.slice(start, end)).length;
    if (stop > start) found.push({ start, end: stop });
    if (text[end] === ';') {
      // what follows a group up to the next comma belongs to nothing
      inGroup = false;
      at = endOfAddress(text, end + 1) + 1;
    } else at = end + 1;
  }
  return found;
}

/** A route in front of an address that stands in no brackets, `@a,@b:c@d`, has commas of its own. */
function behindRoute(text: string, at: number): number {
  const route = /^[ \t]*@[^:<>"]*:/.exec(text.slice(at));
  return at + (route?.[0].length ?? 0);
}

/** Where the members begin when a group's name and colon come next. */
function groupStart(text: string, at: number): number | undefined {
  const scanner = new Scanner(text);
  scanner.at = at;
  for (;;) {
    scanner.skip();
    if (scanner.accept(':')) return scanner.at;
    const word = scanner.accept('.') ? '.' : scanner.next === '"' ? scanner.takeQuoted() : scanner.takeAtom();
    if (word === '') return undefined;
  }
}

/** `local_part` and `domain` of an address without phrase; the domain is what follows the last `@`. */
export function splitAddress(address: string): { readonly localPart: string; readonly domain: string } {
  const at = address.lastIndexOf('@');
  return at < 0
    ? { localPart: address, domain: '' }
    : { localPart: address.slice(0, at), domain: address.slice(at + 1) };
}

/** A local part without its quotes and backslashes, as routers see it. */
export function dequoteLocalPart(localPart: string): string {
  return localPart.includes('"') || localPart.includes('\\')
    ? localPart.replace(/\\(.)|"/gs, (_, escaped: string | undefined) => escaped ?? '')
    : localPart;
}

/** Quotes a local part where RFC 5322 §3.4.1 demands it; two dots in a row are left as they are. */
export function quoteLocalPart(localPart: string): string {
  const plain = /^(?!\.)(?!.*\.$)[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]+$/.test(localPart);
  return plain
    ? localPart
    : `"${localPart.replace(/["\\\r\n]/g, (c) => (c === '\n' ? '\\n' : c === '\r' ? '\\r' : `\\${c}`))}"`;
}
