/** Reads a configuration: the main part, then the sections, then what must hold of them together. All mistakes are told. */

import type { ListKind } from '../expand/context.ts';
import { OptionReader, parseSetting } from '../options/read.ts';
import type { Clean } from '../safe/taint.ts';
import { builtinsFor } from './builtin-names.ts';
import type { Config } from './config.ts';
import { type Draft, takeMacro } from './draft.ts';
import { isExim3Text } from './exim3/text.ts';
import { Macros } from './macros.ts';
import { checkMain } from './main-checks.ts';
import { mainOptions } from './main-options.ts';
import { Problems } from './problems.ts';
import { type LogicalLine, Source } from './source.ts';

const listWords: ReadonlyMap<string, ListKind> = new Map([
  ['domainlist', 'domain'],
  ['hostlist', 'host'],
  ['addresslist', 'address'],
  ['localpartlist', 'localpart'],
]);

const namedList = /^(?:(hide)[ \t]+)?(domainlist|hostlist|addresslist|localpartlist)(?:_cache)?[ \t]+(.*)$/s;

function takeNamedList(line: LogicalLine, found: RegExpExecArray, { namedLists, problems }: Draft): void {
  const [, hide, word = '', rest = ''] = found;
  const kind = listWords.get(word) ?? 'domain';
  const name = /^[A-Za-z0-9_]*/.exec(rest)?.[0] ?? '';
  const text = /^[ \t]*=[ \t]*(.*)$/s.exec(rest.slice(name.length))?.[1];
  if (name === '' || text === undefined) {
    problems.error(name === '' ? 'unrecognized configuration line' : `missing '=' after "${name}"`, line.place);
    return;
  }
  if (namedLists[kind].has(name)) {
    const called = kind === 'localpart' ? 'local part' : kind;
    problems.error(`duplicate name "${name}" for a named ${called} list`, line.place);
    return;
  }
  namedLists[kind].set(name, { kind, text, hidden: hide !== undefined, place: line.place });
}

function readMain(draft: Draft): void {
  const { source, macros, main, problems } = draft;
  for (let line = source.next(); line !== undefined; line = source.next()) {
    if (/^begin(?:[ \t]|$)/.test(line.text)) {
      source.pushBack(line);
      return;
    }
    if (takeMacro(line, macros, problems)) continue;
    const list = namedList.exec(line.text);
    if (list !== null) {
      takeNamedList(line, list, draft);
      continue;
    }
    if (listWords.has(line.text.replace(/_cache$/, ''))) {
      problems.error('unrecognized configuration line', line.place);
      continue;
    }
    const setting = parseSetting(line.text);
    const problem = 'error' in setting ? setting : main.take(setting, (name) => `main option "${name}" unknown`);
    if (problem !== undefined) problems.error(problem.error, line.place, problem.remedy);
  }
}

/** A configuration and what is wrong with it. With errors it must not be used for mail. */
export interface Loaded {
  readonly config: Config;
  readonly problems: Problems;
}

/** Reads the text of a configuration file, of Exim 4 or of Exim 3. `overrides` are the macros of the command line. */
export async function parseConfig(
  file: Clean,
  text: string,
  overrides: ReadonlyMap<string, string> = new Map(),
): Promise<Loaded> {
  const problems = new Problems();
  const macros = new Macros(overrides, await builtinsFor([text, ...overrides.values()]));
  const translation = isExim3Text(text)
    ? (await import('./exim3/translate.ts')).translateExim3(file, text, overrides, problems)
    : undefined;
  const source = new Source(file, translation?.text ?? text, macros, problems, translation?.numbers);
  const draft: Draft = {
    source,
    problems,
    macros,
    main: new OptionReader(mainOptions),
    namedLists: { domain: new Map(), host: new Map(), address: new Map(), localpart: new Map() },
    acls: new Map(),
    routers: [],
    transports: new Map(),
    authenticators: [],
    retryRules: [],
    rewriteRules: [],
    transportRewriteRules: new Map(),
  };
  readMain(draft);
  const options = draft.main.values();
  problems.all.push(...checkMain(options, draft.main.set));
  const section = source.next();
  if (section !== undefined) {
    source.pushBack(section);
    (await import('./sections.ts')).readSections(draft);
  }
  const {
    main,
    namedLists,
    acls,
    transports: readyTransports,
    retryRules,
    rewriteRules,
    transportRewriteRules,
  } = draft;
  const config: Config = {
    file,
    dialect: translation === undefined ? 4 : 3,
    directors: translation?.directors ?? new Set(),
    main: options,
    mainSet: main.set,
    mainHidden: main.hidden,
    namedLists,
    acls,
    routers: draft.routers,
    transports: readyTransports,
    authenticators: draft.authenticators,
    retryRules,
    rewriteRules,
    transportRewriteRules,
    macros: [...macros.all],
    lines: source.kept,
  };
  return { config, problems };
}
