/**
 * The pages of `docs/reference/`. Every fact in them comes from the table that the program itself works with;
 * `scripts/reference.ts` writes them.
 */

import { isCondition, type Verb } from '../acl/acl.ts';
import { clauseDrivers } from '../acl/drivers.ts';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { authenticators, routers, transports } from '../config/drivers.ts';
import { installationFileName, installationRows } from '../config/installation.ts';
import { conditions } from '../expand/conditions.ts';
import { items } from '../expand/items.ts';
import { expandOperator, operators } from '../expand/operators.ts';
import { type VariableRow, variables } from '../expand/variables.ts';
import { lower } from '../lib/octets.ts';
import { lookups } from '../lookups/drivers.ts';
import { debugAreas } from '../observe/debug-areas.ts';
import { logSelectors } from '../observe/log-selectors.ts';
import { code, optionTable, plain, section, table } from '../options/document.ts';
import type { OptionTable } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import { byName, driverFamilies } from './inventory.ts';
import { mainOptionSubjects } from './main-option-subjects.ts';

interface Page {
  readonly file: string;
  readonly title: string;
  readonly text: string;
}

interface Documented {
  readonly name: string;
  readonly doc: string;
}

/** An option of the command line. */
export interface CommandLineRow {
  readonly option: string;
  readonly takes: string;
  readonly doc: string;
}

const documented = (heading: string, rows: Iterable<Documented>, shown = (name: string): string => name): string =>
  table(
    [heading, 'Meaning'],
    byName(rows).map(({ name, doc }) => [code(shown(name)), plain(doc)]),
  );

const optionWords =
  'A value that is *expanded* may contain `$variables` and `${items}`, which are replaced each time it is used. A boolean\n' +
  'option is switched on by its name alone and off by its name behind `no_` or `not_`. `hide` before any option keeps its\n' +
  'value from users who are no administrators.\n';

const fromElsewhere =
  'When they are unset, the host or the installation decides over `exim_group`, `exim_path`, `exim_user`, `exim_version`,\n' +
  '`log_file_path`, `pid_file_path`, `primary_hostname`, `process_log_path`, `qualify_domain`, `qualify_recipient` and\n' +
  '`spool_directory`; `exim -bP` shows what they are.\n';

const mainOptionsPage: Page = {
  file: 'main-options.md',
  title: 'Main options',
  text: [
    optionWords,
    fromElsewhere,
    ...mainOptionSubjects.map(({ title, options }) => section(title, optionTable(options))),
  ].join('\n'),
};

interface Driver {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
}

const unavailableNames = new Set(
  driverFamilies.flatMap(({ title, unavailable }) => unavailable.map(({ name }) => `${title} ${name}`)),
);

function driverText(title: string, { name, summary, options }: Driver): string {
  const note = unavailableNames.has(`${title} ${name}`)
    ? '**Not available in this version:** it is read and shown, but cannot be used.\n'
    : '';
  const own = Object.keys(options).length === 0 ? 'It has no options of its own.\n' : optionTable(options);
  return section(name, ...[`${plain(summary)}\n`, note, own].filter((part) => part !== ''));
}

const driverPage = (title: string, common: OptionTable, drivers: Iterable<Driver>): Page => ({
  file: `${lower(title)}.md`,
  title,
  text: [
    section('Options of all', optionTable(common)),
    ...byName(drivers).map((driver) => driverText(title, driver)),
  ].join('\n'),
});

const variablesText = section(
  'Variables',
  'The value of a *tainted* variable may come from outside; it is not taken as the name of a file or a program. Besides\n' +
    'these there are `$0`, `$1` … (what a pattern found), `$acl_arg1` … `$acl_arg9`, `$acl_c…` and `$acl_m…` (set in ACLs),\n' +
    '`$r_…` (set by routers), `$sn0` … `$sn9` and `$n0` … `$n9` (set by filters), and header lines as `$h_…:`, `$rh_…:`,\n' +
    '`$bh_…:` and `$lh_…:`.\n',
  table(
    ['Variable', 'Tainted', 'Meaning'],
    Object.entries<VariableRow>(variables)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { doc, tainted }]) => [code(`$${name}`), tainted ? 'yes' : '', plain(doc)]),
  ),
);

const expansionPage: Page = {
  file: 'expansions.md',
  title: 'String expansions',
  text: [
    section(
      'Items',
      documented('Item', items.values(), (name) => `\${${name} …}`),
    ),
    section(
      'Operators',
      documented(
        'Operator',
        [...operators.values(), { name: expandOperator, doc: 'expanded once more' }],
        (name) => `\${${name}:…}`,
      ),
    ),
    section('Conditions', 'Each may stand behind any number of `!`.\n', documented('Condition', conditions.values())),
    variablesText,
  ].join('\n'),
};

const verbs: Readonly<Record<Verb, string>> = {
  accept: 'Accepts if all conditions hold; behind `endpass`, refuses if one does not.',
  defer: 'Refuses for the time being if all conditions hold.',
  deny: 'Refuses for good if all conditions hold.',
  discard: 'Accepts if all conditions hold, and throws away the recipient or the message.',
  drop: 'Refuses for good if all conditions hold, and closes the connection.',
  require: 'Refuses for good unless all conditions hold.',
  warn: 'Does what its modifiers say if all conditions hold; nothing is decided.',
};

const aclPage: Page = {
  file: 'acl.md',
  title: 'Access control lists',
  text: [
    section(
      'Verbs',
      table(
        ['Verb', 'Meaning'],
        Object.entries(verbs).map(([name, doc]) => [code(name), doc]),
      ),
    ),
    section(
      'Conditions',
      'A `!` before a condition turns it round.\n',
      documented('Condition', [
        ...[...clauseDrivers.values()].filter(isCondition),
        { name: 'acl', doc: 'Another ACL accepts.' },
      ]),
    ),
    section(
      'Modifiers',
      documented(
        'Modifier',
        [...clauseDrivers.values()].filter((driver) => !isCondition(driver)),
      ),
    ),
  ].join('\n'),
};

const switchesPage = (
  file: string,
  title: string,
  heading: string,
  rows: Readonly<Record<string, { readonly standard: boolean; readonly doc: string }>>,
): Page => ({
  file,
  title,
  text: table(
    [heading, 'Usually', 'Shows'],
    Object.entries(rows)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { standard, doc }]) => [code(name), standard ? 'on' : 'off', plain(doc)]),
  ),
});

const lookupsPage: Page = {
  file: 'lookups.md',
  title: 'Lookup types',
  text: table(
    ['Type', 'Style', 'Options', 'Searches'],
    byName(lookups).map(({ name, style, options, doc }) => [
      code(name),
      style,
      options.map(code).join(', '),
      plain(doc),
    ]),
  ),
};

const installationPage: Page = {
  file: 'installation.md',
  title: 'Installation defaults',
  text:
    `A file ${code(installationFileName)} in the directory of the program may change them, if it belongs to root and nobody else can\n` +
    `write to it; each of its lines is ${code('name = value')}. ${code('exim -bV')} shows what holds.\n\n` +
    table(
      ['Name', 'Standard value', 'Meaning'],
      [...installationRows].map(([name, { standard, doc }]) => [code(name), code(standard) || 'empty', plain(doc)]),
    ),
};

const argumentPlaces: ReadonlyMap<string, string> = new Map([
  ['nothing', ''],
  ['attached', 'in the same word'],
  ['next', 'the next word'],
  ['either', 'in the same word or the next'],
]);

const commandLinePage = (rows: readonly CommandLineRow[]): Page => ({
  file: 'command-line.md',
  title: 'Command line',
  text: table(
    ['Option', 'Argument', 'Meaning'],
    rows.map(({ option, takes, doc }) => [code(option), argumentPlaces.get(takes) ?? takes, plain(doc)]),
  ),
});

const notice = '<!-- Made by "npm run docs" from the tables in src/. Do not change it here. -->\n\n';

/** The text of each page by the name of its file. */
export function referencePages(commandLine: readonly CommandLineRow[]): ReadonlyMap<string, string> {
  const pages: readonly Page[] = [
    mainOptionsPage,
    driverPage('Routers', routerCommonOptions, routers.values()),
    driverPage('Transports', transportCommonOptions, transports.values()),
    driverPage('Authenticators', authenticatorCommonOptions, authenticators.values()),
    aclPage,
    expansionPage,
    lookupsPage,
    switchesPage('log-selectors.md', 'Log selectors', 'Selector', logSelectors),
    switchesPage('debug-areas.md', 'Debug areas', 'Area', debugAreas),
    commandLinePage(commandLine),
    installationPage,
  ];
  const contents = pages.map(({ file, title }) => `- [${title}](${file})\n`).join('');
  return new Map(
    [...pages, { file: 'README.md', title: 'Reference', text: contents }].map(
      ({ file, title, text }) => [file, `${notice}# ${title}\n\n${text}`] as const,
    ),
  );
}
