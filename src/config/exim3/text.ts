/**
 * Exim 3 text as sections of logical lines: main, transports, directors, routers, retry, rewrite, authenticators, each but
 * the first behind a line `end`. Every line keeps its physical lines, their numbers and the comments above it, so that
 * what is not changed can be written as it was.
 */

import { trim, trimEnd } from '../../lib/octets.ts';
import { parseSetting } from '../../options/read.ts';
import type { Macros } from '../macros.ts';
import type { Problems } from '../problems.ts';

export interface PhysicalLine {
  readonly text: string;
  readonly number: number;
}

export interface OldLine {
  /** Continuations joined, macros as they were written. */
  readonly text: string;
  /** The same with macros replaced. */
  readonly plain: string;
  readonly physical: readonly PhysicalLine[];
  /** Comments and blank lines above it. */
  readonly above: readonly PhysicalLine[];
  /** Number of its last physical line. */
  readonly number: number;
}

/** `hide no_name = value`, taken apart. */
export interface OldSetting {
  readonly name: string;
  readonly hidden: boolean;
  /** As it was written, and with macros replaced; nothing when there is no equals sign. */
  readonly value: string | undefined;
  readonly plain: string | undefined;
  /** For switches. */
  readonly on: boolean;
  readonly line: OldLine;
}

/** An instance of a driver. */
export interface OldBlock {
  readonly name: string;
  readonly heading: OldLine;
  readonly settings: readonly OldSetting[];
}

export const sectionNames = [
  'main',
  'transports',
  'directors',
  'routers',
  'retry',
  'rewrite',
  'authenticators',
] as const;
export type SectionName = (typeof sectionNames)[number];

export type OldText = Readonly<Record<SectionName, readonly OldLine[]>> & {
  /** Comments behind the last line. */
  readonly rest: readonly PhysicalLine[];
};

/** The logical lines of a text; comments within a continued line stay among its physical lines. */
function* logicalLines(text: string): Generator<Omit<OldLine, 'plain'>> {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let above: PhysicalLine[] = [];
  let physical: PhysicalLine[] = [];
  let joined = '';
  for (const [index, raw] of lines.entries()) {
    const line = { text: raw.replace(/\r$/, ''), number: index + 1 };
    const part = trim(line.text);
    if (physical.length === 0 && (part === '' || part.startsWith('#'))) {
      above.push(line);
      continue;
    }
    physical.push(line);
    if (part.startsWith('#')) continue;
    const more = part.endsWith('\\');
    joined += more ? part.slice(0, -1) : part;
    if (more && index < lines.length - 1) continue;
    yield { text: trimEnd(joined), physical, above, number: line.number };
    above = [];
    physical = [];
    joined = '';
  }
  yield { text: '', physical, above, number: lines.length };
}

/** Whether a text is of Exim 3: sections end with `end`, and no line says `begin NAME`. */
export function isExim3Text(text: string): boolean {
  let ends = false;
  for (const { text: line } of logicalLines(text)) {
    if (line === 'end') ends = true;
    if (/^begin[ \t]+[a-z_]/.test(line)) return false;
  }
  return ends;
}

const definition = /^[A-Z][A-Za-z0-9_]*[ \t-\r]*=/;

export const isMacroDefinition = ({ text }: OldLine): boolean => definition.test(text);

/** Takes the text apart. Macros are taken in by `macros` as they are met. */
export function readExim3(text: string, macros: Macros, file: string, problems: Problems): OldText {
  const found: Record<SectionName, OldLine[]> = {
    main: [],
    transports: [],
    directors: [],
    routers: [],
    retry: [],
    rewrite: [],
    authenticators: [],
  };
  let section = 0;
  let comments: readonly PhysicalLine[] = [];
  for (const line of logicalLines(text)) {
    const above = [...comments, ...line.above];
    comments = [];
    if (line.text === 'end' || line.text === '') {
      comments = above;
      if (line.text === 'end') section++;
      continue;
    }
    const place = { file, line: line.number, macros: [] };
    const name = sectionNames[section];
    if (name === undefined) {
      problems.error('there is text behind the last section', place, 'an Exim 3 configuration has seven sections');
      continue;
    }
    if (/^\.[a-z_]+/.test(line.text)) {
      problems.error(
        `Exim 3 has no directive ${line.text.split(/[ \t]/)[0] ?? ''}`,
        place,
        'convert the file with `tabella convert`, and use directives in the result',
      );
      continue;
    }
    const read: OldLine = { ...line, above, plain: macros.replace(line.text).text };
    if (name === 'main' && isMacroDefinition(read)) macros.define(line.text);
    found[name].push(read);
  }
  return { ...found, rest: comments };
}

/** A line of options; nothing when it is none, which the reader of the new text will tell. */
export function settingOf(line: OldLine): OldSetting | undefined {
  const plain = parseSetting(line.plain);
  const written = parseSetting(line.text);
  if ('error' in plain) return undefined;
  const name = plain.name.replace(/^(?:no|not)_/, '');
  const word = plain.value === undefined ? undefined : /^[A-Za-z]+$/.exec(plain.value)?.[0];
  const off = word !== undefined && /^(?:no|false)$/i.test(word);
  return {
    name,
    hidden: plain.hidden,
    value: 'error' in written || written.name !== plain.name ? plain.value : written.value,
    plain: plain.value,
    on: plain.name === name && !off,
    line,
  };
}

const heading = /^([A-Za-z][A-Za-z0-9_]*)[ \t]*:[ \t]*$/;

/** The instances of a section, and lines that stand in none. */
export function blocksOf(lines: readonly OldLine[]): {
  readonly blocks: readonly OldBlock[];
  readonly stray: readonly OldLine[];
} {
  const blocks: (OldBlock & { readonly settings: OldSetting[] })[] = [];
  const stray: OldLine[] = [];
  for (const line of lines) {
    const name = heading.exec(line.plain)?.[1];
    const setting = settingOf(line);
    const block = blocks.at(-1);
    if (name !== undefined) blocks.push({ name, heading: line, settings: [] });
    else if (setting === undefined || block === undefined) stray.push(line);
    else block.settings.push(setting);
  }
  return { blocks, stray };
}
