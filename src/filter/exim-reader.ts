/** Words and strings of a filter file (Exim's filter specification 3.1, 3.2), with the numbers of their lines. */

import { interpretEscape } from '../lib/escapes.ts';
import { Text } from '../safe/taint.ts';

/** A mistake in a filter, in Exim's words: it ends the filter. */
export class FilterMistake extends Error {}

/** Words and strings are shorter than this. */
const wordLimit = 1024;

const blank = /[ \t\n\v\f\r]/;

export class FilterReader {
  readonly #source: Text;
  readonly #text: string;
  #at = 0;
  line = 1;

  constructor(source: Text) {
    this.#source = source;
    // behind a NUL there is nothing, as in Exim
    this.#text = /^[^\0]*/.exec(source.value)?.[0] ?? '';
    this.skip();
  }

  /** Ends the reading. */
  fail(message: string): never {
    throw new FilterMistake(message);
  }

  get next(): string {
    return this.#text[this.#at] ?? '';
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Goes over white space and comments. */
  skip(): void {
    for (;;) {
      const character = this.next;
      if (character === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (character !== '' && blank.test(character)) {
        if (character === '\n') this.line++;
        this.#at++;
      } else return;
    }
  }

  /** Takes the bracket that comes next, and what is blank behind it. */
  bracket(): void {
    this.#at++;
    this.skip();
  }

  /** The next word, empty at the end. In conditions, brackets end a word. */
  word(inCondition = false): string {
    const start = this.#at;
    while (!this.atEnd && !blank.test(this.next) && !(inCondition && /[()]/.test(this.next))) {
      if (++this.#at - start >= wordLimit) {
        this.fail(`word is too long in line ${this.line} of filter file (max = ${wordLimit} chars)`);
      }
    }
    const word = this.#text.slice(start, this.#at);
    this.skip();
    return word;
  }

  /** The word of a command; only a condition's bracket may follow it at once. */
  command(): string {
    const { place } = this;
    const [, before] = /^((?:el)?if)\(/.exec(this.#text.slice(place, place + 5)) ?? [];
    if (before === undefined) return this.word();
    this.goTo(place + before.length);
    return before;
  }

  get place(): number {
    return this.#at;
  }

  /** Goes back; the lines that were counted meanwhile are counted again, as in Exim. */
  goTo(place: number): void {
    this.#at = place;
  }

  /** The next word, if it is wanted. */
  tryWord(isWanted: (word: string) => boolean, inCondition = false): string | undefined {
    const { place } = this;
    const word = this.word(inCondition);
    if (isWanted(word)) return word;
    this.goTo(place);
    return undefined;
  }

  /** A value: a word, or a string in double quotes. */
  item(inCondition = false): Text {
    const start = this.#at;
    if (this.next === '"') {
      const value = this.#quoted();
      return Text.derived(value, this.#source.slice(start, this.#at));
    }
    const word = this.word(inCondition);
    return this.#source.slice(start, start + word.length);
  }

  #quoted(): string {
    let value = '';
    this.#at++;
    for (;;) {
      const character = this.next;
      // as in Exim, a line that would go on in one that is not there ends the string
      if (this.atEnd && this.#text.endsWith('\n')) break;
      if (character === '' || character === '\n') {
        this.fail(`quote missing at end of string in line ${this.line}`);
      }
      if (character === '"') break;
      value += character === '\\' ? this.#escape() : this.#character();
      if (value.length >= wordLimit) {
        this.fail(`string is too long in line ${this.line} of filter file (max = ${wordLimit} chars)`);
      }
    }
    this.#at++;
    this.skip();
    return /^[^\0]*/.exec(value)?.[0] ?? '';
  }

  #character(): string {
    return this.#text[this.#at++] ?? '';
  }

  /** A sequence with a backslash; at the end of a line it goes on with the next. */
  #escape(): string {
    let end = this.#at + 1;
    while (/^[ \t]$/.test(this.#text[end] ?? '')) end++;
    if (this.#text[end] === '\n') {
      this.line++;
      do end++;
      while (/^[ \t]$/.test(this.#text[end] ?? ''));
      this.#at = end;
      return '';
    }
    const sequence = interpretEscape(this.#text, this.#at);
    this.#at += sequence.length;
    return sequence.value;
  }
}
