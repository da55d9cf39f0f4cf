/**
 * Reads the text of an expansion from left to right, for the parser and for those items that have a grammar of their
 * own. Every rule of the notation that several items share stands here once (Exim spec 11.5).
 */

import { interpretEscape } from '../lib/escapes.ts';
import type { Condition, HeaderNode, ItemNode, Node } from './tree.ts';

/** A mistake in the text. `before` are those parts of the item that are evaluated before the mistake is met. */
export class ParseProblem {
  readonly message: string;
  readonly before: readonly Node[];

  constructor(message: string, before: readonly Node[] = []) {
    this.message = message;
    this.before = before;
  }
}

/** How deep items may stand inside each other; real configurations stay below thirty. */
export const maximumDepth = 300;

export const tooDeep = (): ParseProblem => new ParseProblem(`expansion is nested more than ${maximumDepth} deep`);

const unclosed = (before: readonly Node[] = []): ParseProblem => new ParseProblem('missing } at end of string', before);

/** What the parser does for the reader, which is below it. */
export interface Grammar {
  /** Reads a string up to the closing brace that belongs to it (or the end of the text at the top). */
  sequence(reader: Reader, until: 'brace' | 'end', dollars?: 'honoured' | 'plain'): Node;
  condition(reader: Reader): Condition;
}

export type ItemParts = Pick<ItemNode, 'arguments' | 'words' | 'condition' | 'yes' | 'no'>;

export class Reader {
  readonly text: string;
  at = 0;
  depth = 0;
  /** A header name was read that has a brace in it, where a colon may be missing. */
  oddHeader = false;
  readonly #grammar: Grammar;

  constructor(text: string, grammar: Grammar) {
    this.text = text;
    this.#grammar = grammar;
  }

  get next(): string {
    return this.text[this.at] ?? '';
  }

  get rest(): string {
    return this.text.slice(this.at);
  }

  skipBlanks(): void {
    while (/^[ \t\n\r\v\f]$/.test(this.next)) this.at++;
  }

  /** Reads characters as long as they fit; `pattern` is sticky. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  /** Passes over `character`, if it comes next. */
  accept(character: string): boolean {
    if (this.next !== character) return false;
    this.at++;
    return true;
  }

  /** A backslash sequence; the backslash comes next. */
  escape(): string {
    const { value, length } = interpretEscape(this.text, this.at);
    if (length < 2) throw new ParseProblem('\\ at end of string');
    this.at += length;
    return value;
  }

  /** The string of a brace that was just opened, and its closing brace. */
  inBraces(dollars: 'honoured' | 'plain' = 'honoured'): Node {
    const node = this.#grammar.sequence(this, 'brace', dollars);
    if (!this.accept('}')) throw unclosed([node]);
    return node;
  }

  condition(): Condition {
    if (++this.depth > maximumDepth) throw tooDeep();
    const condition = this.#grammar.condition(this);
    this.depth--;
    return condition;
  }

  /** The name of a header line: printing characters up to a colon, which is passed over, or a blank. */
  headerName(): string {
    const name = this.take(/[^\x00-\x20\x7f:]*/y);
    this.accept(':');
    if (/[{}]/.test(name)) this.oddHeader = true;
    return name;
  }

  /**
   * `{…}{…}`: between `minimum` and `maximum` strings and the brace that closes the item.
   * @throws ParseProblem with the words that name the item
   */
  arguments(item: string, minimum: number, maximum: number): Node[] {
    const found = this.someArguments(item, minimum, maximum);
    this.skipBlanks();
    if (this.next === '{') throw new ParseProblem(`Too many arguments for '${item}' (max is ${maximum})`, found);
    if (!this.accept('}')) throw new ParseProblem(`missing '}' after '${item}'`, found);
    return found;
  }

  /** As `arguments`, but without the end of the item. */
  someArguments(item: string, minimum: number, maximum: number): Node[] {
    const found: Node[] = [];
    while (found.length < maximum) {
      this.skipBlanks();
      if (!this.accept('{')) break;
      found.push(this.within(found, () => this.inBraces()));
    }
    if (found.length < minimum) throw new ParseProblem(`Not enough arguments for '${item}' (min is ${minimum})`, found);
    return found;
  }

  /** Strings in braces that must all be there; a missing one is told as `missing '{' for first arg of map`. */
  named(item: string, numbers: readonly string[], words: 'arg of' | 'of'): Node[] {
    const found: Node[] = [];
    for (const number of numbers) {
      this.skipBlanks();
      if (!this.accept('{')) {
        const which = words === 'of' ? `arg ${number} of` : `${number} arg of`;
        throw new ParseProblem(`missing '{' for ${which} ${item}`, found);
      }
      found.push(this.within(found, () => this.inBraces()));
    }
    return found;
  }

  /** Runs `read`; a mistake in it is told after the evaluation of `before`. */
  within<T>(before: readonly Node[], read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof ParseProblem) throw new ParseProblem(error.message, [...before, ...error.before]);
      throw error;
    }
  }

  /** The strings for yes and no do not stand as they should. */
  unbalanced(what: string, before: readonly Node[] = []): ParseProblem {
    const message = `curly-bracket problem in conditional yes/no parsing: ${what}\n remaining string is '${this.rest}'`;
    return new ParseProblem(message, before);
  }

  /** The optional strings for yes and no, or the word `fail`, and the brace that closes the item. */
  branches(item: string): Pick<ItemParts, 'yes' | 'no'> {
    try {
      return this.#branches(item);
    } catch (error) {
      // nobody knows yet which of the strings is going to be expanded
      throw error instanceof ParseProblem ? new ParseProblem(error.message) : error;
    }
  }

  #branches(item: string): Pick<ItemParts, 'yes' | 'no'> {
    const problem = (what: string): ParseProblem => this.unbalanced(what);
    this.skipBlanks();
    if (this.accept('}')) return {};
    if (!this.accept('{')) {
      throw problem("'yes' part did not start with '{'");
    }
    const yes = this.#grammar.sequence(this, 'brace');
    if (!this.accept('}')) throw unclosed();
    this.skipBlanks();
    let no: Node | 'fail' | undefined;
    if (this.accept('{')) {
      no = this.#grammar.sequence(this, 'brace');
      if (!this.accept('}')) throw unclosed();
    } else if (this.next !== '}') {
      if (this.take(/[A-Za-z0-9_]*/y) !== 'fail')
        throw new ParseProblem(`syntax error in "${item}" item - "fail" expected`);
      no = 'fail';
    }
    this.skipBlanks();
    if (!this.accept('}')) throw problem("did not close with '}'");
    return { yes, no };
  }
}

const headerForms: ReadonlyMap<string, HeaderNode['form']> = new Map([
  ['h_', 'header'],
  ['header_', 'header'],
  ['bh_', 'bheader'],
  ['bheader_', 'bheader'],
  ['rh_', 'rheader'],
  ['rheader_', 'rheader'],
  ['lh_', 'lheader'],
  ['lheader_', 'lheader'],
]);

/** The header node when a header variable comes next, its prefix included. */
export function readHeader(reader: Reader): HeaderNode | undefined {
  const at = reader.at;
  const prefix = reader.take(/[brl]?h(?:eader)?_/y);
  const form = headerForms.get(prefix);
  return form === undefined ? undefined : { kind: 'header', at, form, name: reader.headerName() };
}
