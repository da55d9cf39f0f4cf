/** Filters of LDAP searches (RFC 4515). Octets from outside stand for themselves, and only in a value. */

import type { BerWriter } from 'ldapts';
import type { Octets } from './ldap-octets.ts';

export type LdapFilter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly LdapFilter[] }
  | { readonly kind: 'not'; readonly filter: LdapFilter }
  | { readonly kind: 'present'; readonly attribute: string }
  | { readonly kind: 'equal' | 'atLeast' | 'atMost' | 'similar'; readonly attribute: string; readonly value: string }
  | { readonly kind: 'substrings'; readonly attribute: string; readonly parts: readonly string[] }
  | {
      readonly kind: 'extensible';
      readonly attribute: string;
      readonly rule: string;
      readonly ofName: boolean;
      readonly value: string;
    };

/** The filter cannot be read. */
export class BadFilter extends Error {}
/** Text from outside stands where it may not. */
export class MisplacedText extends Error {}

const deepest = 50;
const attributeName = /^[\w.;-]+$/;
const extensible = /^([\w.;-]*)((?::dn)?)(?::([\w.-]+))?:$/i;

class FilterReader {
  readonly #text: string;
  readonly #fromOutside: readonly boolean[];
  at = 0;

  constructor({ text, fromOutside }: Octets) {
    this.#text = text;
    this.#fromOutside = fromOutside;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  /** Whether the octet is this one and stands in the configuration. */
  #is(octet: string, at = this.at): boolean {
    return this.#text[at] === octet && this.#fromOutside[at] !== true;
  }

  #expect(octet: string): void {
    if (!this.#is(octet)) {
      throw this.#fromOutside[this.at] === true ? new MisplacedText() : new BadFilter();
    }
    this.at++;
  }

  filter(depth: number): LdapFilter {
    if (depth > deepest) throw new BadFilter();
    this.#expect('(');
    const found = this.#component(depth);
    this.#expect(')');
    return found;
  }

  #component(depth: number): LdapFilter {
    if (this.#is('&') || this.#is('|')) {
      const kind = this.#is('&') ? 'and' : 'or';
      this.at++;
      const filters: LdapFilter[] = [];
      while (this.#is('(')) filters.push(this.filter(depth + 1));
      return { kind, filters };
    }
    if (this.#is('!')) {
      this.at++;
      return { kind: 'not', filter: this.filter(depth + 1) };
    }
    return this.item();
  }

  /** `attribute=value` and its like. */
  item(): LdapFilter {
    let end = this.at;
    while (end < this.#text.length && !this.#is('=', end)) {
      if (this.#fromOutside[end] === true) throw new MisplacedText();
      if (this.#is('(', end) || this.#is(')', end)) throw new BadFilter();
      end++;
    }
    if (end >= this.#text.length) throw new BadFilter();
    const head = this.#text.slice(this.at, end);
    this.at = end + 1;
    const parts = this.#value();
    const value = parts.join('*');
    const [, before = '', operator] = /^(.*?)([<>~:])?$/s.exec(head) ?? [];
    if (operator === ':') {
      const [, attribute = '', name = '', rule = ''] = extensible.exec(head) ?? [];
      if (attribute === '' && rule === '') throw new BadFilter();
      return { kind: 'extensible', attribute, rule, ofName: name !== '', value };
    }
    if (!attributeName.test(before)) throw new BadFilter();
    if (operator === '>') return { kind: 'atLeast', attribute: before, value };
    if (operator === '<') return { kind: 'atMost', attribute: before, value };
    if (operator === '~') return { kind: 'similar', attribute: before, value };
    if (parts.length === 1) return { kind: 'equal', attribute: before, value };
    if (parts.every((part) => part === '')) return { kind: 'present', attribute: before };
    return { kind: 'substrings', attribute: before, parts };
  }

  /** The pieces of a value between the asterisks of the configuration. */
  #value(): string[] {
    const parts: string[] = [];
    let part = '';
    for (; !this.isAtEnd; this.at++) {
      const octet = this.#text[this.at] ?? '';
      if (this.#fromOutside[this.at] === true) part += octet;
      else if (octet === ')') break;
      else if (octet === '(') throw new BadFilter();
      else if (octet === '*') {
        parts.push(part);
        part = '';
      } else if (octet === '\\') part += this.#escaped();
      else part += octet;
    }
    parts.push(part);
    return parts;
  }

  #escaped(): string {
    for (let at = this.at + 1; at < this.at + 3; at++) if (this.#fromOutside[at] === true) throw new MisplacedText();
    const [, hex] = /^([0-9A-Fa-f]{2})/.exec(this.#text.slice(this.at + 1, this.at + 3)) ?? [];
    if (hex === undefined) throw new BadFilter();
    this.at += 2;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }
}

/** @throws BadFilter or MisplacedText */
export function parseFilter(octets: Octets): LdapFilter {
  if (octets.text === '') return { kind: 'present', attribute: 'objectClass' };
  const reader = new FilterReader(octets);
  const found = octets.text.startsWith('(') ? reader.filter(0) : reader.item();
  if (!reader.isAtEnd) throw new BadFilter();
  return found;
}

const comparisons = { equal: 0xa3, atLeast: 0xa5, atMost: 0xa6, similar: 0xa8 } as const;

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Writes a filter as the protocol has it (RFC 4511 §4.5.1). */
export function writeFilter(filter: LdapFilter, writer: BerWriter): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      writer.startSequence(filter.kind === 'and' ? 0xa0 : 0xa1);
      for (const part of filter.filters) writeFilter(part, writer);
      writer.endSequence();
      return;
    case 'not':
      writer.startSequence(0xa2);
      writeFilter(filter.filter, writer);
      writer.endSequence();
      return;
    case 'present':
      writer.writeBuffer(octets(filter.attribute), 0x87);
      return;
    case 'substrings':
      writer.startSequence(0xa4);
      writer.writeBuffer(octets(filter.attribute), 0x04);
      writer.startSequence();
      filter.parts.forEach((part, index) => {
        const tag = index === 0 ? 0x80 : index === filter.parts.length - 1 ? 0x82 : 0x81;
        if (part !== '') writer.writeBuffer(octets(part), tag);
      });
      writer.endSequence();
      writer.endSequence();
      return;
    case 'extensible':
      writer.startSequence(0xa9);
      if (filter.rule !== '') writer.writeBuffer(octets(filter.rule), 0x81);
      if (filter.attribute !== '') writer.writeBuffer(octets(filter.attribute), 0x82);
      writer.writeBuffer(octets(filter.value), 0x83);
      if (filter.ofName) writer.writeBoolean(true, 0x84);
      writer.endSequence();
      return;
    default:
      writer.startSequence(comparisons[filter.kind]);
      writer.writeBuffer(octets(filter.attribute), 0x04);
      writer.writeBuffer(octets(filter.value), 0x04);
      writer.endSequence();
  }
}
