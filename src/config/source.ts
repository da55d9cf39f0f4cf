/**
 * The text of a configuration as logical lines (Exim spec 6.2 - 6.10): macros replaced, conditional parts left out, files
 * included, comments dropped and continuations joined, each line with its place. Mistakes are collected, and reading
 * goes on.
 */

import { errorText } from '../lib/errno.ts';
import { trim, trimEnd } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import type { Macros } from './macros.ts';
import type { Place, Problems } from './problems.ts';

export interface LogicalLine {
  readonly text: string;
  readonly place: Place;
}

const maximumIncludes = 30;
const maximumFileSize = 64 * 1024 * 1024;

interface OpenFile {
  readonly name: Clean;
  readonly lines: readonly string[];
  /** The numbers to tell of the lines, when the text was made from another. */
  readonly numbers?: readonly number[] | undefined;
  next: number;
}

type Condition = 'active' | 'waiting' | 'done';

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export class Source {
  readonly #macros: Macros;
  readonly #problems: Problems;
  readonly #open: OpenFile[] = [];
  readonly #conditions: Condition[] = [];
  #pushedBack: LogicalLine | undefined;
  /** All lines as they were read, and marks where one file gives way to another, for `-bP config`. */
  readonly kept: string[] = [];

  /** `numbers` are those of the lines that the lines of `text` came from, where they differ. */
  constructor(name: Clean, text: string, macros: Macros, problems: Problems, numbers?: readonly number[]) {
    this.#macros = macros;
    this.#problems = problems;
    this.#open.push({ name, lines: linesOf(text), numbers, next: 0 });
  }

  get place(): Place {
    const file = this.#open.at(-1);
    const next = file?.next ?? 0;
    return { file: file?.name ?? '', line: file?.numbers?.[next - 1] ?? next, macros: [] };
  }

  /** Gives a line back, so that the next reader gets it. */
  pushBack(line: LogicalLine): void {
    this.#pushedBack = line;
  }

  /** The next logical line that is not empty, or nothing at the end. */
  next(): LogicalLine | undefined {
    const pushed = this.#pushedBack;
    this.#pushedBack = undefined;
    if (pushed !== undefined) return pushed;
    let text = '';
    const macros: string[] = [];
    let continued = false;
    for (;;) {
      const place = this.place;
      const physical = this.#physical(macros);
      if (physical === undefined) return continued && text !== '' ? { text, place: { ...place, macros } } : undefined;
      const line = trim(physical);
      if (line.startsWith('#')) continue;
      if (line === '' && !continued) continue;
      const more = line.endsWith('\\');
      text += more ? line.slice(0, -1) : line;
      if (more) {
        continued = true;
        continue;
      }
      if (trim(text) === '') {
        text = '';
        continued = false;
        continue;
      }
      this.kept.push(text);
      return { text: trimEnd(text), place: { ...this.place, macros } };
    }
  }

  /** The next physical line that is neither a directive nor left out by one; its macros are replaced. */
  #physical(macros: string[]): string | undefined {
    for (;;) {
      const file = this.#open.at(-1);
      if (file === undefined) return undefined;
      const raw = file.lines[file.next];
      if (raw === undefined) {
        if (this.#open.length === 1) {
          this.#checkEnd();
          return undefined;
        }
        this.#open.pop();
        this.#mark();
        continue;
      }
      if (file.next++ === 0 && this.#open.length > 1) this.#mark();
      const { text, used } = this.#macros.replace(raw.replace(/\r$/, ''));
      const line = trim(text);
      if (line.startsWith('.') && this.#directive(line, used)) continue;
      if (this.#conditions.some((condition) => condition !== 'active')) continue;
      for (const name of used) if (!macros.includes(name)) macros.push(name);
      return text;
    }
  }

  /** Notes where reading goes on, for `-bP config`. */
  #mark(): void {
    const { file, line } = this.place;
    this.kept.push(`# ${line} "${file}"`);
  }

  #checkEnd(): void {
    if (this.#conditions.length > 0) {
      this.#problems.error('Unexpected end of configuration file: .endif missing', this.place);
      this.#conditions.length = 0;
    }
  }

  /** Obeys a line that begins with a dot; answers false when it is no directive. */
  #directive(line: string, used: readonly string[]): boolean {
    const [, word = '', rest = ''] = /^\.([a-z_]+)[ \t-\r]*(.*)$/s.exec(line) ?? [];
    const conditional = conditionals.get(word);
    if (conditional !== undefined) {
      conditional(this.#conditions, used.length > 0, (message) => this.#problems.error(message, this.place));
      return true;
    }
    const including = word === 'include' || word === 'include_if_exists';
    if (!including) return false;
    if (this.#conditions.every((condition) => condition === 'active'))
      this.#include(rest, word === 'include_if_exists');
    return true;
  }

  #include(argument: string, ifExists: boolean): void {
    const name = trim(argument.replace(/^"(.*)"$/, '$1'));
    const fault = this.#includeFault(name, ifExists);
    if (fault !== undefined) {
      this.#problems.error(fault, this.place);
      return;
    }
    const directory = this.#open.at(-1)?.name.replace(/[^/]*$/, '') ?? '';
    const path = reviewed(name.startsWith('/') ? name : `${directory}${name}`, 'named in the configuration file');
    try {
      const lines = linesOf(files.readText(path, maximumFileSize));
      this.#mark();
      this.#open.push({ name: path, lines, next: 0 });
    } catch (error) {
      const reason = errorText(error);
      if (ifExists && reason === 'No such file or directory') return;
      const detail = reason === 'No such file or directory' ? '' : `: ${reason}`;
      this.#problems.error(`failed to open included configuration file ${path}${detail}`, this.place);
    }
  }

  #includeFault(name: string, ifExists: boolean): string | undefined {
    if (name === '') return '.include needs the name of a file';
    if (this.#open.length > maximumIncludes) return `includes are nested more than ${maximumIncludes} deep`;
    return ifExists && !name.startsWith('/') ? `.include specifies a non-absolute path "${name}"` : undefined;
  }
}

type Conditional = (stack: Condition[], replaced: boolean, fail: (message: string) => void) => void;

const opening =
  (wanted: boolean): Conditional =>
  (stack, replaced) => {
    stack.push(replaced === wanted ? 'active' : 'waiting');
  };

/** What stands between two branches: the one that was active is done, one that waits gets its turn. */
const alternative =
  (word: string, applies: (replaced: boolean) => boolean): Conditional =>
  (stack, replaced, fail) => {
    const current = stack.at(-1);
    if (current === undefined) return fail(`.${word} without matching .ifdef`);
    stack[stack.length - 1] = current === 'waiting' ? (applies(replaced) ? 'active' : 'waiting') : 'done';
  };

const conditionals: ReadonlyMap<string, Conditional> = new Map([
  ['ifdef', opening(true)],
  ['ifndef', opening(false)],
  ['elifdef', alternative('elifdef', (replaced) => replaced)],
  ['elifndef', alternative('elifndef', (replaced) => !replaced)],
  ['else', alternative('else', () => true)],
  [
    'endif',
    (stack, _, fail) => {
      if (stack.pop() === undefined) fail('.endif without matching .ifdef');
    },
  ],
]);
