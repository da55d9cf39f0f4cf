/**
 * Random configurations: main options, routers, transports and authenticators with random options, right and wrong ones.
 * Compared is what `-bP` prints in all its forms, or what is wrong with the configuration.
 */

import fc from 'fast-check';
import { authenticatorCommonOptions } from '../../src/authenticators/common-options.ts';
import { authenticators, routers, transports } from '../../src/config/drivers.ts';
import { mainOptions } from '../../src/config/main-options.ts';
import type { OptionTable } from '../../src/options/table.ts';
import { routerCommonOptions } from '../../src/routers/common-options.ts';
import { transportCommonOptions } from '../../src/transports/common-options.ts';
import type { Pair, Subject } from './compare.ts';
import { otherBuilds } from './differences.ts';
import { settingOf } from './option-values.ts';
import { type Files, type Job, type Outcome, runBoth } from './room.ts';
import { oneOf, sample } from './words.ts';

interface Driver {
  readonly name: string;
  readonly options: OptionTable;
}

/** Drivers that the real one was built without, and one whose check is still to come. */
const absent: ReadonlySet<string> = new Set(['gsasl', 'heimdal_gssapi', 'spa']);
/** Options that change what both are or find; they are set once for all. */
const kept: ReadonlySet<string> = new Set([
  ...['keep_environment', 'exim_user', 'exim_group', 'timezone', 'spool_directory', 'log_file_path', 'pid_file_path'],
  ...['exim_path', 'process_log_path', 'primary_hostname', 'localhost_number'],
  ...['smtp_ratelimit_mail', 'smtp_ratelimit_rcpt', 'openssl_options', 'syslog_facility'],
]);

/** Options that Exim does not have. */
const isOurs = (name: string): boolean => name.startsWith('pop3_') || name === 'expire_rules';

const settings = (table: OptionTable, most: number): fc.Arbitrary<string[]> => {
  if (Object.keys(table).length === 0) return fc.constant([]);
  const names = Object.keys(table).filter((name) => !kept.has(name) && !otherBuilds.has(name) && !isOurs(name));
  const setting = fc.constantFrom(...names).chain((name) => settingOf(name, table[name]?.type ?? 'string'));
  return fc.array(setting, { maxLength: most });
};

const instance = (
  name: string,
  drivers: readonly Driver[],
  common: OptionTable,
  needed: (driver: string) => readonly string[],
): fc.Arbitrary<string[]> =>
  fc
    .constantFrom(...drivers.filter((driver) => !absent.has(driver.name)))
    .chain((driver) =>
      fc
        .tuple(settings(driver.options, 3), settings(common, 3))
        .map(([own, generic]) => [
          `${name}:`,
          ...[`driver = ${driver.name}`, ...needed(driver.name), ...own, ...generic].map((line) => `  ${line}`),
        ]),
    );

const routerNeeds: Readonly<Record<string, readonly string[]>> = {
  accept: ['transport = t0'],
  dnslookup: ['transport = t0'],
  ipliteral: ['transport = t0'],
  iplookup: ['hosts = 1.2.3.4', 'port = 99'],
  manualroute: ['transport = t0', 'route_list = *'],
  queryprogram: ['command = /bin/true', 'command_user = mail'],
  redirect: ['data = x@y'],
};
const transportNeeds: Readonly<Record<string, readonly string[]>> = {
  appendfile: ['file = /tmp/x'],
  lmtp: ['command = /bin/true'],
  pipe: ['command = /bin/true'],
};
const authenticatorNeeds = ['public_name = P'];
const one = (
  drivers: readonly Driver[],
  common: OptionTable,
  name: string,
  needs: (driver: string) => readonly string[],
) => instance(name, drivers, common, needs);

const configuration: fc.Arbitrary<string> = fc
  .record({
    main: settings(mainOptions, 4),
    lists: oneOf(
      '',
      'domainlist x = a : b',
      'hide hostlist x = 1.2.3.4',
      'domainlist x = "a : b"\nlocalpartlist x = c',
      'hostlist',
    ),
    macros: oneOf('', 'M = 1', 'X_Y=', 'Mx = $primary_hostname', 'M = 1\nM == M 2', 'M="q"'),
    router: one([...routers.values()], routerCommonOptions, 'r0', (name) => routerNeeds[name] ?? []),
    transport: one([...transports.values()], transportCommonOptions, 't0', (name) => transportNeeds[name] ?? []),
    authenticator: one([...authenticators.values()], authenticatorCommonOptions, 'a0', () => authenticatorNeeds),
  })
  .map(({ main, lists, macros, router, transport, authenticator }) =>
    [
      'primary_hostname = mail.example',
      'keep_environment = PATH : HOME',
      'spool_directory = /var/spool/exim4',
      'log_file_path = /var/log/exim4/%slog',
      'pid_file_path = /run/exim.pid',
      'process_log_path = /var/spool/exim4/process',
      'exim_path = /usr/sbin/exim4',
      ...[macros, lists].filter((line) => line !== ''),
      ...main,
      'begin routers',
      ...router,
      'begin transports',
      ...transport,
      'begin authenticators',
      ...authenticator,
      '',
    ].join('\n'),
  );

const forms =
  'all router_list routers transport_list transports authenticator_list authenticators +x environment config_file';
const configurationsOfRound = 8;

/** What is asked of each configuration. */
function jobsFor(number: number, seed: number): Job[] {
  const at = ['-C', `/mnt/conf${number}`];
  const others: readonly (readonly string[])[] = [
    ['-bP', 'config'],
    ['-n', '-bP', 'router', 'r0', 'transports', 'authenticators', '+x', 'environment'],
    ['-bP', 'router', 'r0', 'transport', 't0', 'authenticator', 'a0', 'qualify_domain', 'nosuch'],
  ];
  return [{ words: [...at, '-bP', ...forms.split(' ')] }, { words: [...at, ...(others[(seed + number) % 3] ?? [])] }];
}

const silence: Outcome = { stdout: '', stderr: '', status: -1 };

interface Mistake {
  readonly place: string;
  readonly text: string;
}

interface Said {
  readonly output: string;
  /** The real one ends at the first. */
  readonly mistakes: readonly Mistake[];
}

const ofOthers = new RegExp(
  `^(?:no_)?(?:${[...otherBuilds].join('|')}|pop3_\\w*|expire_rules|received_header_text|smtp_banner|syslog_processname)(?: .*)?\n`,
  'gm',
);

function saidBy({ stdout, stderr, status }: Outcome): Said {
  const found = [...stderr.matchAll(/Exim configuration error(.*):\n((?: {2}.*\n?)+)/g)];
  const output = stdout.replace(/^# (?:Exim|Tabella) Configuration.*/gm, '# Configuration').replace(ofOthers, '');
  const other = found.length === 0 ? stderr.replace(/^\S+ \S+ /gm, '') : '';
  return {
    output: `${output}${other}status ${status}`,
    mistakes: found.map(([, place = '', text = '']) => ({ place, text: text.trimEnd() })),
  };
}

/** As text. We tell all mistakes, the place also of those that the real one finds later, and remedies behind them. */
function texts(real: Said, ours: Said): { readonly real: string; readonly ours: string } {
  const wanted = real.mistakes[0];
  const same = ours.mistakes.find(
    ({ place, text }) =>
      wanted !== undefined &&
      (wanted.place === '' || wanted.place === place) &&
      (text === wanted.text || text.startsWith(`${wanted.text}\n`)),
  );
  const shown = ours.mistakes[0];
  return {
    real: `${real.output}${wanted?.place ?? ''}${wanted?.text ?? ''}`,
    ours: `${ours.output}${same === undefined ? `${shown?.place ?? ''}${shown?.text ?? ''}` : `${wanted?.place}${wanted?.text}`}`,
  };
}

export const options: Subject = {
  name: 'options',
  async round(seed: number): Promise<readonly Pair[]> {
    const configurations = sample(configuration, configurationsOfRound, seed);
    const files: Files = new Map(configurations.map((text, i): [string, string] => [`conf${i}`, text]));
    const jobs = configurations.flatMap((_, i) => jobsFor(i, seed));
    const { real, ours } = await runBoth(files, jobs);
    return jobs.map(({ words }, i) => ({
      input: `${words.slice(2).join(' ')} of\n${configurations[Math.floor(i / 2)]}`,
      ...texts(saidBy(real[i] ?? silence), saidBy(ours[i] ?? silence)),
    }));
  },
};
