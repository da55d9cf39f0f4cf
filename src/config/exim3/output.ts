/** Exim 4 text that is being written: each line knows the line of the Exim 3 text that it came from. */

import { lower } from '../../lib/octets.ts';
import type { Problems } from '../problems.ts';
import type { OldLine, OldSetting, PhysicalLine } from './text.ts';

const mark = '# Exim 3:';

export class Output {
  readonly #lines: PhysicalLine[] = [];
  readonly #problems: Problems;
  readonly #file: string;

  constructor(file: string, problems: Problems) {
    this.#file = file;
    this.#problems = problems;
  }

  get text(): string {
    return this.#lines.map(({ text }) => `${text}\n`).join('');
  }

  /** For each line of the text, the number of the line that it came from. */
  get numbers(): readonly number[] {
    return this.#lines.map(({ number }) => number);
  }

  /** Names of the instances whose headings stand behind the first `start` lines. */
  headings(start: number): string[] {
    return this.#lines.slice(start).flatMap(({ text }) => /^([A-Za-z]\w*):$/.exec(text)?.[1] ?? []);
  }

  /** Lines of the old text as they are. */
  copy(lines: readonly PhysicalLine[]): void {
    this.#lines.push(...lines);
  }

  /** A logical line as it is, with the comments above it. */
  keep({ above, physical }: OldLine): void {
    this.copy(above);
    this.copy(physical);
  }

  /** Comments alone, of a line that is gone or written elsewhere. */
  keepComments({ above }: OldLine): void {
    this.copy(above);
  }

  write(text: string, number: number): void {
    for (const line of text.split('\n')) this.#lines.push({ text: line, number });
  }

  /** A comment of ours that says what became of a line. */
  remark(text: string, number: number): void {
    this.write(`${mark} ${text}`, number);
  }

  /** A heading over a part of the text. */
  title(text: string): void {
    this.write(`\n# ${text}\n`, 0);
  }

  /** What an administrator must look at; also told by `tabella check`. */
  warning(message: string, number: number): void {
    this.remark(message, number);
    this.#problems.warning(message, this.#place(number));
  }

  error(message: string, number: number, remedy?: string): void {
    this.remark(`${message}${remedy === undefined ? '' : `; ${remedy}`}`, number);
    this.#problems.error(message, this.#place(number), remedy);
  }

  #place(number: number): { file: string; line: number; macros: readonly string[] } {
    return { file: this.#file, line: number, macros: [] };
  }
}

/** How a setting was written, for remarks: `no_x`, `x = y`. */
export function shown({ name, value, on, line }: OldSetting): string {
  const written = lower(line.text).startsWith('no') && !on ? `no_${name}` : name;
  return value === undefined ? written : `${name} = ${value}`;
}
