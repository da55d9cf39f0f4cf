/** Macros of a configuration (Exim spec 6.4 - 6.9): defined, redefined, overridden by -D, replaced in physical lines. */

import { trim } from '../lib/octets.ts';
import { builtinName } from './builtin-names.ts';
import type { Place } from './problems.ts';

export interface Macro {
  readonly name: string;
  value: string;
  /** Set by `-D`: definitions in the file are ignored. */
  readonly fromCommandLine: boolean;
  /** It was replaced somewhere, or asked for. */
  used: boolean;
  readonly place?: Place | undefined;
}

const definition = /^([A-Z][A-Za-z0-9_]*)[ \t-\r]*(==?)[ \t-\r]*(.*)$/s;

export class Macros {
  readonly #macros = new Map<string, Macro>();
  /** Names by their first letter: few lines have a name in them, and all names begin with a capital letter. */
  readonly #byLetter = new Map<string, string[]>();
  readonly #builtin: () => ReadonlyMap<string, string>;

  /** `builtin` answers the names that tell what the program can do; they begin with an underscore. */
  constructor(commandLine: ReadonlyMap<string, string>, builtin: () => ReadonlyMap<string, string>) {
    for (const [name, value] of commandLine) this.#add({ name, value, fromCommandLine: true, used: false });
    this.#builtin = builtin;
  }

  get all(): Iterable<Macro> {
    return this.#macros.values();
  }

  /** Takes a definition in; answers what is wrong with it, if anything. */
  define(line: string, place?: Place): string | undefined {
    const found = definition.exec(line);
    if (found === null) return `malformed macro definition`;
    const [, name = '', operator, value = ''] = found;
    const known = this.#macros.get(name);
    if (known?.fromCommandLine) return undefined;
    if (operator === '==') {
      if (known === undefined) return `can't redefine an undefined macro "${name}"`;
      known.value = trim(value);
      return undefined;
    }
    if (known !== undefined) return `macro "${name}" is already defined (use "==" if you want to redefine it)`;
    for (const other of this.#macros.keys()) {
      if (name.includes(other)) {
        return `"${name}" cannot be defined as a macro because previously defined macro "${other}" is a substring`;
      }
    }
    this.#add({ name, value: trim(value), fromCommandLine: false, used: false, place });
    return undefined;
  }

  #add(macro: Macro): void {
    const { name } = macro;
    this.#macros.set(name, macro);
    const letter = name.charAt(0);
    const same = this.#byLetter.get(letter);
    if (same === undefined) this.#byLetter.set(letter, [name]);
    else same.push(name);
  }

  #isIn(text: string): boolean {
    for (const { index } of text.matchAll(/[A-Z]/g)) {
      if (this.#byLetter.get(text.charAt(index))?.some((name) => text.startsWith(name, index)) === true) return true;
    }
    return false;
  }

  /**
   * Replaces macros in a physical line, each in the order of definition; in a definition only behind its equals sign.
   * Answers the new line and the names that were replaced.
   */
  replace(line: string): { readonly text: string; readonly used: readonly string[] } {
    const head = /^[ \t-\r]*[A-Z][A-Za-z0-9_]*[ \t-\r]*=/.exec(line)?.[0] ?? '';
    let text = line.slice(head.length);
    const used: string[] = [];
    const isComment = /^[ \t-\r]*#/.test(line);
    for (const macro of this.#isIn(text) ? this.#macros.values() : []) {
      const { name, value } = macro;
      if (text.includes(name)) {
        text = text.replaceAll(name, () => value);
        used.push(name);
        if (!isComment) macro.used = true;
      }
    }
    if (text.includes('_')) {
      text = text.replace(builtinName, (word) => {
        const name = this.#longestBuiltin(word);
        if (name === undefined) return word;
        used.push(name);
        return (this.#builtin().get(name) ?? '') + word.slice(name.length);
      });
    }
    return { text: head + text, used };
  }

  #longestBuiltin(word: string): string | undefined {
    const names = this.#builtin();
    for (let length = word.length; length > 5; length--) {
      const name = word.slice(0, length);
      if (names.has(name)) return name;
    }
    return undefined;
  }
}
