/**
 * Exim 3 text to Exim 4 text, line by line. What runs is the new text; each of its lines knows the old one, so that what
 * is wrong is told with the line of the administrator's own file, and every change has a remark.
 */

import { builtinMacros } from '../builtin-macros.ts';
import { Macros } from '../macros.ts';
import type { Problems } from '../problems.ts';
import { nextWord } from '../words.ts';
import { convertDirectors, looksForUser } from './directors.ts';
import { verbatim } from './lists.ts';
import { convertMain } from './main-section.ts';
import { Output } from './output.ts';
import { Policy } from './policy.ts';
import { convertRouters } from './routers.ts';
import {
  blocksOf,
  isMacroDefinition,
  type OldBlock,
  type OldLine,
  type OldSetting,
  readExim3,
  settingOf,
} from './text.ts';
import { convertTransports } from './transports.ts';
import { Names } from './values.ts';

export interface Translation {
  readonly text: string;
  /** For each line of the text, the line that it came from; 0 for none. */
  readonly numbers: readonly number[];
  /** Routers that were directors. */
  readonly directors: ReadonlySet<string>;
}

/** Transports that no director names but those that look for local users. */
function checkedTransports(
  directors: readonly OldBlock[],
  routers: readonly OldBlock[],
  main: readonly OldLine[],
): ReadonlySet<string> {
  const named = (blocks: readonly OldBlock[], option: RegExp): string[] =>
    blocks.flatMap(({ settings }) =>
      settings.filter(({ name }) => option.test(name)).map(({ plain = '' }) => plain.replace(/^"(.*)"$/s, '$1')),
    );
  // what an address is redirected to has no user of its own
  const others = new Set([
    ...named([...routers, ...directors.filter((block) => !looksForUser(block))], /transport$/),
    ...named(directors, /_transport$/),
    ...main.flatMap((line) => (/^message_filter\w*_transport/.test(line.plain) ? (settingOf(line)?.plain ?? []) : [])),
  ]);
  const sure = named(directors.filter(looksForUser), /^transport$/);
  // a name that is an expansion may mean any transport
  if ([...others, ...sure].some((name) => name.includes('$'))) return new Set();
  return new Set(sure.filter((name) => !others.has(name)));
}

/** New names for directors that are called as a router is. */
function directorNames(
  directors: readonly OldBlock[],
  routers: readonly OldBlock[],
  output: Output,
): Map<string, string> {
  const taken = new Set([...routers, ...directors].map(({ name }) => name));
  const names = new Map<string, string>();
  for (const { name, heading } of directors) {
    const clashes = routers.some((router) => router.name === name);
    let now = clashes ? `${name}_director` : name;
    while (clashes && taken.has(now)) now += '_';
    taken.add(now);
    if (clashes) output.warning(`the director ${name} is called as a router is; it is ${now} now`, heading.number);
    names.set(name, now);
  }
  return names;
}

/** Patterns of retry and rewriting rules are expanded now; a table is asked for the domain with `*@`. */
function convertPatterns(lines: readonly OldLine[], section: 'retry' | 'rewrite', output: Output): void {
  for (const line of lines) {
    output.keepComments(line);
    const first = nextWord(line.plain);
    const pattern = first?.value ?? '';
    const rest = first?.rest ?? '';
    if (section === 'rewrite' && /^[ \t]*(?:"(?:[^"\\]|\\.)*"|[^ \t"]+)[ \t]+[A-Za-z]*X/.test(rest)) {
      output.warning('rewriting rules with the flag X are gone: access control lists verify addresses', line.number);
      continue;
    }
    const isTable = section === 'retry' && /^(?:partial[0-9]*(?:\([^)]*\))?-)?[a-z]+\*?;/.test(pattern);
    const now = pattern.startsWith('^') ? verbatim(pattern) : isTable ? `*@${pattern}` : pattern;
    const errors = section === 'retry' ? rest.replace(/^timeout_DNS\b/, 'lookup') : rest;
    if (now === pattern && errors === rest) {
      output.copy(line.physical);
      continue;
    }
    const quoted = /[ \t]/.test(now) ? `"${now.replace(/["\\]/g, '\\$&')}"` : now;
    output.remark(line.text, line.number);
    output.write(`${quoted}  ${errors}`, line.number);
  }
}

function writeStray(stray: readonly OldLine[], what: string, output: Output): void {
  for (const line of stray)
    output.error(`this is no option of a ${what}`, line.number, 'an instance begins with its name and a colon');
}

/** Translates a text. `overrides` are the macros of the command line. */
export function translateExim3(
  file: string,
  text: string,
  overrides: ReadonlyMap<string, string>,
  problems: Problems,
): Translation {
  const macros = new Macros(overrides, builtinMacros);
  const old = readExim3(text, macros, file, problems);
  const names = new Names(macros);
  const output = new Output(file, problems);
  const settings = new Map<string, OldSetting>();
  for (const line of old.main) {
    const setting = isMacroDefinition(line) ? undefined : settingOf(line);
    if (setting !== undefined) settings.set(setting.name, setting);
  }
  const [transports, directors, routers] = [blocksOf(old.transports), blocksOf(old.directors), blocksOf(old.routers)];
  const caseless = settings.get('locally_caseless');
  const caseful = caseless?.on === false ? caseless : undefined;

  convertMain(old.main, settings, output, names);
  const policy = new Policy(settings, names, output);
  policy.writeSettings();
  output.title('Who may send to whom, made of the options for relaying, refusing and verifying.');
  output.write('begin acl', 0);
  policy.writeLists();

  output.title('First what were routers: they are for domains that are not local.');
  output.write('begin routers\n', 0);
  const newNames = directorNames(directors.blocks, routers.blocks, output);
  const first = directors.blocks[0];
  convertRouters(routers.blocks, first && newNames.get(first.name), output, names);
  writeStray(routers.stray, 'router', output);
  output.title('Then what were directors: they are for local domains.');
  const before = output.numbers.length;
  convertDirectors(directors.blocks, newNames, caseful, output, names);
  writeStray(directors.stray, 'director', output);
  const written = output.headings(before);

  output.title('Transports.');
  output.write('begin transports\n', 0);
  convertTransports(transports.blocks, checkedTransports(directors.blocks, routers.blocks, old.main), output, names);
  writeStray(transports.stray, 'transport', output);
  output.write('\nbegin retry\n', 0);
  convertPatterns(old.retry, 'retry', output);
  output.write('\nbegin rewrite\n', 0);
  convertPatterns(old.rewrite, 'rewrite', output);
  output.write('\nbegin authenticators\n', 0);
  for (const line of old.authenticators) output.keep(line);
  output.copy(old.rest);

  const head = new Output(file, problems);
  if (names.intruder !== undefined) {
    head.error(`the macro ${names.intruder} is a part of what vouches for names of files`, 0, 'give it a longer name');
  }
  head.write('# Exim 4 text made from Exim 3 text. Lines that begin with "# Exim 3:" tell what was changed.\n', 0);
  if (names.definitions.length > 0) {
    head.write('# These take a value from outside that is safe as one part of a path, and fail for any other.', 0);
    for (const definition of names.definitions) head.write(definition, 0);
    head.write('', 0);
  }
  return {
    text: head.text + output.text,
    numbers: [...head.numbers, ...output.numbers],
    directors: new Set(written),
  };
}
