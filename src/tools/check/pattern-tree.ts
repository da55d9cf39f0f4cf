/**
 * A regular expression taken apart, as far as is needed to see how it repeats: characters, groups, alternatives, counts.
 * What is seldom used (recursion, back references) becomes an element that nobody knows anything of.
 */

import { all, anyCase, type CharacterSet, escapes, none, not, one, posix, range } from './character-sets.ts';

export interface Element {
  /** The octets it may match; nothing for a group. */
  readonly set?: CharacterSet | undefined;
  /** The alternatives of a group. */
  readonly alternatives?: readonly Sequence[] | undefined;
  readonly least: number;
  readonly most: number;
  /** It never gives back what it matched. */
  readonly keeps: boolean;
}

export type Sequence = readonly Element[];

/** The pattern goes on in a way that is not understood. */
class Unclear extends Error {}

const deepest = 100;

class PatternReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The whole pattern. */
  read(): readonly Sequence[] {
    const found = this.#alternatives();
    if (this.#at < this.#text.length) throw new Unclear();
    return found;
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #alternatives(): Sequence[] {
    if (++this.#depth > deepest) throw new Unclear();
    const found: Element[][] = [[]];
    for (;;) {
      if (this.#take(/\|/y) !== null) found.push([]);
      else if (this.#at >= this.#text.length || this.#text[this.#at] === ')') break;
      else {
        const element = this.#element();
        if (element !== undefined) found.at(-1)?.push(element);
      }
    }
    this.#depth--;
    return found;
  }

  /** The next element with its count; nothing for what has no width. */
  #element(): Element | undefined {
    if (this.#take(/[\^$]|\\[AbBGzZK]/y) !== null) return undefined;
    const quoted = this.#take(/\\Q(.*?)(?:\\E|$)/sy)?.[1];
    if (quoted !== undefined) {
      const elements = [...quoted].map((character) => once({ set: anyCase(character) }));
      return once({ alternatives: [elements] });
    }
    if (this.#text[this.#at] === '(') return this.#group();
    return this.#counted({ set: this.#set() });
  }

  #counted(base: Pick<Element, 'set' | 'alternatives'>, atomic = false): Element {
    const found = this.#take(/(?:([*+?])|\{(\d{1,5})(,(\d{1,5})?)?\})([+?])?/y);
    if (found === null) return { ...base, least: 1, most: 1, keeps: atomic };
    const [, sign, from = '0', comma, to, mode] = found;
    const least = sign === undefined ? Number(from) : sign === '+' ? 1 : 0;
    const upTo = comma === undefined ? Number(from) : to === undefined ? Number.POSITIVE_INFINITY : Number(to);
    const most = sign === undefined ? upTo : sign === '?' ? 1 : Number.POSITIVE_INFINITY;
    return { ...base, least, most, keeps: mode === '+' || atomic };
  }

  #group(): Element | undefined {
    if (this.#take(/\(\?#[^)]*\)|\(\*[A-Z_:a-z=0-9]*\)|\(\?[a-zA-Z^-]*\)/y) !== null) return undefined;
    const start = this.#take(/\((?:\?(?:[:|>]|<?[=!]|[imsxnJU^-]*:|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*'))?/y)?.[0] ?? '';
    if (start === '(' && this.#text[this.#at] === '?') throw new Unclear();
    const alternatives = this.#alternatives();
    if (this.#take(/\)/y) === null) throw new Unclear();
    const element = this.#counted({ alternatives }, start === '(?>');
    // what is only looked at is not consumed, but may take as long
    return /^\(\?<?[=!]/.test(start) ? { ...element, least: 0, most: 1 } : element;
  }

  #set(): CharacterSet {
    if (this.#take(/\./y) !== null) return not(one(10));
    if (this.#text[this.#at] === '[') return this.#class();
    return this.#escape() ?? anyCase(this.#take(/[\s\S]/y)?.[0] ?? '');
  }

  /** What a backslash and the characters behind it stand for; nothing when there is none. */
  #escape(): CharacterSet | undefined {
    const found = this.#take(/\\(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{0,2})|([0-7]{3})|([\s\S]))/y);
    if (found === null) return undefined;
    const [, wide, hex, octal, character = ''] = found;
    if (wide !== undefined) return Number.parseInt(wide, 16) > 255 ? all : one(Number.parseInt(wide, 16));
    if (hex !== undefined) return one(Number.parseInt(hex === '' ? '0' : hex, 16));
    if (octal !== undefined) return one(Number.parseInt(octal, 8));
    if (/[1-9gkpPXC]/.test(character)) throw new Unclear();
    return escapes.get(character) ?? anyCase(character);
  }

  #class(): CharacterSet {
    const negated = this.#take(/\[(\^?)/y)?.[1] === '^';
    let set = none;
    for (let first = true; ; first = false) {
      if (this.#at >= this.#text.length) throw new Unclear();
      if (!first && this.#take(/\]/y) !== null) return negated ? not(set) : set;
      const named = this.#take(/\[:(\^?)([a-z]+):\]/y);
      if (named !== null) {
        const known = posix.get(named[2] ?? '') ?? all;
        set |= named[1] === '^' ? not(known) : known;
        continue;
      }
      const span = this.#take(/([^\\\]])-([^\\\]])/y);
      if (span !== null) set |= range((span[1] ?? '').charCodeAt(0), (span[2] ?? '').charCodeAt(0));
      else set |= this.#escape() ?? anyCase(this.#take(/[\s\S]/y)?.[0] ?? '');
    }
  }
}

const once = (base: Pick<Element, 'set' | 'alternatives'>): Element => ({ ...base, least: 1, most: 1, keeps: false });

/** The alternatives of a pattern; nothing when it is not understood. */
export function readPattern(text: string): readonly Sequence[] | undefined {
  try {
    return new PatternReader(text).read();
  } catch (error) {
    if (error instanceof Unclear) return undefined;
    throw error;
  }
}
