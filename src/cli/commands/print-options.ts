/**
 * `-bP`: tells what the configuration says (Exim spec 5, -bP): main options, drivers, named lists, macros, the
 * environment, or the whole file. Output and exit status are those that scripts know from Exim; what was hidden in the
 * file is shown to administrators only.
 */

import { builtinMacros } from '../../config/builtin-macros.ts';
import type { Config } from '../../config/config.ts';
import type { Installation } from '../../config/installation.ts';
import { mainOptions } from '../../config/main-options.ts';
import type { ListKind } from '../../expand/context.ts';
import { keptEnvironment } from '../../mta/settings.ts';
import { readString } from '../../options/kinds.ts';
import { notDisplayable, optionLine, tableLines } from '../../options/print.ts';
import { dependsOn, type Instance, type OptionRow, type OptionTable } from '../../options/table.ts';
import type { Command } from '../call.ts';
import { mainValues } from './main-values.ts';
import { configLines } from './print-config.ts';
import { type DriverStyle, driverLines, type Family, families } from './print-drivers.ts';

export interface PrintSettings {
  readonly config: Config;
  readonly installation: Installation;
  /** Hidden values, and macros, are for administrators. */
  readonly isAdmin: boolean;
  /** `-n`: values without names. */
  readonly terse: boolean;
  /** Byte strings; the environment of the process when it is left out. What the configuration keeps of it is shown. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Everything that an answer is made of. */
interface Inquiry {
  readonly config: Config;
  readonly style: DriverStyle;
  readonly main: Instance;
  /** Sorted by name, with the values that are not in the tables. */
  readonly mainTable: OptionTable;
  readonly hiddenMain: ReadonlySet<string>;
  readonly environment: ReadonlyMap<string, string>;
  readonly line: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** Prints an answer; false when there is none. */
type Answer = (inquiry: Inquiry) => boolean;
type AnswerAbout = (inquiry: Inquiry, name: string) => boolean;

/**
 * Prints what the names ask for; all main options when there are none. Answers the exit status, which is that of the
 * last name.
 * @throws BadSetting
 */
export async function printOptions(
  names: readonly string[],
  settings: PrintSettings,
  write: (text: string) => void,
  complain: (text: string) => void = write,
): Promise<number> {
  const inquiry = await inquire(settings, write, complain);
  if (names[0] === 'config') {
    for (const text of configLines(inquiry.config, inquiry.style)) inquiry.line(text);
    return 0;
  }
  const asked = names.length === 0 ? ['all'] : names;
  let known = true;
  for (let at = 0; at < asked.length; at++) {
    const name = asked[at] ?? '';
    const next = asked[at + 1];
    const pair = pairs.get(name);
    if (pair !== undefined && next !== undefined) {
      known = pair(inquiry, next);
      at++;
    } else {
      known = (words.get(name) ?? answerAbout(name))(inquiry);
    }
  }
  return known ? 0 : 1;
}

async function inquire(
  { config, installation, isAdmin, terse, environment }: PrintSettings,
  write: (text: string) => void,
  complain: (text: string) => void,
): Promise<Inquiry> {
  const kept = keptEnvironment(config, environment ?? ownEnvironment());
  const values = await mainValues({ config, installation, environment: kept });
  const rows = Object.entries<OptionRow<unknown>>(mainOptions).sort(([a], [b]) => (a < b ? -1 : 1));
  const withValues = rows.map(([name, row]) => {
    const value = values.get(name);
    return [name, value === undefined ? row : dependsOn(row, 'the host', () => value, { whenSet: true })];
  });
  const primaryHostname = values.get('primary_hostname') ?? '';
  return {
    config,
    style: { terse, eightBit: config.main.print_topbitchars, isAdmin, primaryHostname },
    main: { name: '', driver: {}, values: config.main, set: config.mainSet, primaryHostname },
    mainTable: Object.fromEntries(withValues),
    hiddenMain: isAdmin ? new Set() : config.mainHidden,
    environment: kept,
    line: (text) => write(`${text}\n`),
    complain: (text) => complain(`${text}\n`),
  };
}

/** The environment of the process as byte strings. */
function ownEnvironment(): Record<string, string> {
  const octets = (text = ''): string => Buffer.from(text, 'utf8').toString('latin1');
  return Object.fromEntries(Object.entries(process.env).map(([name, value]) => [octets(name), octets(value)]));
}

/** What has no word of its own: a named list or a main option. */
const answerAbout =
  (name: string): Answer =>
  (inquiry) =>
    name.startsWith('+') ? namedList(inquiry, name.slice(1)) : mainOption(inquiry, name);

/** Main options by all the names they can be asked for. */
const mainNames: ReadonlyMap<string, string> = new Map(
  Object.entries<OptionRow<unknown>>(mainOptions).flatMap(([name, { synonyms }]) =>
    [name, ...synonyms].map((each) => [each, name] as const),
  ),
);

const mainOption: AnswerAbout = ({ main, mainTable, hiddenMain, style, line }, name) => {
  const option = mainNames.get(name);
  const row = option === undefined ? undefined : mainTable[option];
  if (option === undefined || row === undefined) {
    line(`${name} is not a known option`);
    return false;
  }
  line(optionLine(option, row, main, hiddenMain, style, name));
  return true;
};

const listKinds: readonly ListKind[] = ['address', 'domain', 'host', 'localpart'];

/** All lists of a name. One that was hidden is hidden from everybody. */
const namedList: AnswerAbout = ({ config, style, line }, name) => {
  const found = listKinds.flatMap((kind) => config.namedLists[kind].get(name) ?? []);
  for (const { kind, text, hidden } of found) {
    const reading = readString(text, name);
    const shown = hidden ? notDisplayable : 'error' in reading ? text : reading.value;
    line(style.terse ? shown : `${kind}list ${name} = ${shown}`);
  }
  if (found.length === 0) line(`no address, domain, host, or local part list called "${name}" exists`);
  return found.length > 0;
};

/** An answer that is sure to be there. */
const lines =
  (make: (inquiry: Inquiry) => Iterable<string>): Answer =>
  (inquiry) => {
    for (const text of make(inquiry)) inquiry.line(text);
    return true;
  };

/** Macros, which may hold passwords. */
const forAdmins =
  <A extends readonly unknown[]>(answer: (inquiry: Inquiry, ...about: A) => boolean) =>
  (inquiry: Inquiry, ...about: A): boolean => {
    if (inquiry.style.isAdmin) return answer(inquiry, ...about);
    inquiry.complain('exim: permission denied');
    return false;
  };

function* allMacros({ macros }: Config): Generator<readonly [name: string, value: string]> {
  yield* builtinMacros();
  for (const { name, value } of macros) yield [name, value];
}

const macroLine = ({ style }: Inquiry, [name, value]: readonly [string, string]): string =>
  style.terse ? value : `${name}=${value}`;

const macro: AnswerAbout = (inquiry, wanted) => {
  for (const found of allMacros(inquiry.config)) {
    if (found[0] !== wanted) continue;
    inquiry.line(macroLine(inquiry, found));
    return true;
  }
  inquiry.line(`macro ${wanted} not found`);
  return false;
};

const driver =
  (family: Family): AnswerAbout =>
  ({ config, style, line }, name) => {
    const found = family.instances(config).find((instance) => instance.name === name);
    if (found === undefined) {
      line(`${family.word} ${name} not found`);
      return false;
    }
    for (const text of driverLines(family, found, config, style)) line(text);
    return true;
  };

const driverWords = (family: Family): readonly (readonly [string, Answer])[] => [
  [`${family.word}_list`, lines(({ config }) => family.instances(config).map(({ name }) => name))],
  [
    `${family.word}s`,
    lines(({ config, style }) =>
      family
        .instances(config)
        .flatMap((found) => ['', `${found.name} ${family.word}:`, ...driverLines(family, found, config, style)]),
    ),
  ],
];

const words: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['all', lines(({ main, mainTable, hiddenMain, style }) => tableLines(mainTable, main, hiddenMain, style))],
  // The whole file is shown when it is asked for first, and nothing else then.
  ['config', lines(() => [])],
  ['config_file', lines(({ config }) => [config.file])],
  ['configure_file', lines(({ config }) => [config.file])],
  ...families.flatMap(driverWords),
  ['macros', forAdmins(lines((inquiry) => [...allMacros(inquiry.config)].map((each) => macroLine(inquiry, each))))],
  ['macro_list', forAdmins(lines(({ config }) => [...allMacros(config)].map(([name]) => name)))],
  [
    'environment',
    lines(({ environment, style }) =>
      [...environment]
        .map(([name, value]) => ({ name, whole: `${name}=${value}` }))
        .sort((a, b) => (a.whole < b.whole ? -1 : 1))
        .map(({ name, whole }) => (style.terse ? name : whole)),
    ),
  ],
  [
    'local_scan',
    ({ line }) => {
      line('local_scan() options are not supported');
      return false;
    },
  ],
]);

/** Words that take the next argument along. */
const pairs: ReadonlyMap<string, AnswerAbout> = new Map<string, AnswerAbout>([
  ...families.map((family) => [family.word, driver(family)] as const),
  ['macro', forAdmins(macro)],
  [
    'environment',
    ({ line }, name) => {
      line(`environment ${name} not found`);
      return false;
    },
  ],
]);

export const optionsCommand: Command = ({ invocation, installation, runtime, caller, terminal }) =>
  printOptions(
    invocation.arguments,
    { config: runtime.config, installation, isAdmin: caller.isAdmin, terse: invocation.terse },
    terminal.out,
    terminal.error,
  );
