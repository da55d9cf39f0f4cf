/** The values that expansions and everybody else need of the configuration, with defaults filled in. */

import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { type Installation, serverUser } from '../config/installation.ts';
import type { Context, Settings } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { lower, trim } from '../lib/octets.ts';
import { parseLogSelection, standardSelection } from '../observe/log-selectors.ts';
import * as files from '../safe/files.ts';
import { type Clean, clean, literal, pathOf, reviewed } from '../safe/taint.ts';

/** User and group that the server runs as. */
/** The hosts that may share a spool are told apart by so many numbers (Exim spec 14, localhost_number). */
const greatestHostNumber = 16;

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** A setting of the main section that cannot be used; told like any other mistake in the configuration. */
export class BadSetting extends Error {
  /** The message says all; else it stands below `Exim configuration error:`. */
  readonly isWhole: boolean;

  constructor(message: string, isWhole = false) {
    super(message);
    this.isWhole = isWhole;
  }
}

/**
 * The name of this host: when the system knows only the short one, the first full name that /etc/hosts gives it, as
 * the system's own resolver would.
 */
function systemHostname(): string {
  const name = hostname();
  if (name.includes('.')) return name;
  const path = literal('/etc/hosts');
  if (!files.mayAccess(path, 'r')) return name;
  for (const line of files.readText(path).split('\n')) {
    const words = line
      .replace(/#.*/, '')
      .split(/[ \t]+/)
      .slice(1);
    if (words.includes(name)) return words.find((word) => word.includes('.')) ?? name;
  }
  return name;
}

/** The user and group of the server as the configuration or else the installation has them. */
export function effectiveServerUser(config: Config, installation: Installation): ServerUser {
  const standard = serverUser(installation);
  const { exim_user: user, exim_group: group } = config.main;
  return {
    uid: user !== undefined && 'user' in user ? user.user.uid : standard.uid,
    gid:
      group !== undefined && 'group' in group
        ? group.group.gid
        : user !== undefined && 'user' in user
          ? user.user.gid
          : standard.gid,
  };
}

/** The environment that expansions and programs see: what is kept of it, and what is added (Exim spec 14, keep_environment). */
export function keptEnvironment(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const kept = new Map<string, string>();
  const patterns = config.main.keep_environment?.items ?? [];
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && patterns.some((pattern) => matchesName(pattern, name))) kept.set(name, value);
  }
  for (const setting of config.main.add_environment?.items ?? []) {
    const equals = setting.indexOf('=');
    if (equals > 0) kept.set(setting.slice(0, equals), setting.slice(equals + 1));
  }
  return kept;
}

function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** What is known before anything is expanded. */
export function basicSettings(
  config: Config,
  installation: Installation,
  environment: ReadonlyMap<string, string>,
): Settings {
  const { main } = config;
  const primaryHostname = main.primary_hostname ?? systemHostname();
  const qualifyDomain = main.qualify_domain ?? primaryHostname;
  const user = effectiveServerUser(config, installation);
  return {
    primaryHostname,
    qualifyDomain,
    qualifyRecipient: main.qualify_recipient ?? qualifyDomain,
    spoolDirectory: installation.spoolDirectory,
    configFile: config.file,
    eximPath: main.exim_path ?? pathOf(installation.programDirectory, literal('bin'), literal('exim')),
    eximUid: user.uid,
    eximGid: user.gid,
    localhostNumber: '',
    bounceReturnSizeLimit: main.bounce_return_size_limit,
    headersCharset: main.headers_charset ?? 'UTF-8',
    printTopBitCharacters: main.print_topbitchars,
    allowUtf8Domains: main.allow_utf8_domains,
    checkRfc2047Length: main.check_rfc2047_length,
    strictAclVars: main.strict_acl_vars,
    logsIncomingPort: logsIncomingPort(main.log_selector),
    messageBodyVisible: main.message_body_visible,
    messageBodyNewlines: main.message_body_newlines,
    logFileDirectory: undefined,
    spfGuess: main.spf_guess,
    environment,
  };
}

/** Whether log lines show the port of the sending host. */
function logsIncomingPort(setting: string | undefined): boolean {
  const selection = setting === undefined ? standardSelection : parseLogSelection(setting);
  return !('error' in selection) && selection.has('incoming_port');
}

async function expanded(template: Template | undefined, name: string, context: Context): Promise<Clean | undefined> {
  if (template === undefined) return undefined;
  const expansion = await template.expand(context);
  if (!expansion.ok) throw new BadSetting(`failed to expand ${name} "${template.source}": ${expansion.message}`, true);
  const value = clean(expansion.text);
  if (value === undefined) throw new BadSetting(`${name} may not hold untrusted text: ${expansion.text.value}`);
  return value;
}

/** Paths and numbers that may be expansions. `context` sees the basic settings. */
export interface Places {
  readonly spoolDirectory: Clean;
  /** Log paths with `%s`; `syslog` is not among them. */
  readonly logPaths: readonly Clean[];
  readonly logsToSyslog: boolean;
  /** More than one file is named; only the first is used. */
  readonly unusedLogPaths: boolean;
  readonly pidFile: Clean;
  /** Empty for none. */
  readonly notifierSocket: string;
  /** 0 to 16 or so; nothing when this host has none. */
  readonly hostNumber: number | undefined;
  readonly settings: Settings;
}

function absolute(path: Clean, name: string): Clean {
  if (!path.startsWith('/')) throw new BadSetting(`${name} "${path}" is not an absolute path`);
  return path;
}

/** Modes of log files and of the directories that are made for them. */
export function logModes({ logFileMode }: Installation): { readonly fileMode: number; readonly directoryMode: number } {
  return { fileMode: Number.parseInt(logFileMode, 8) || 0o640, directoryMode: 0o750 };
}

const installed = (value: string): Clean => reviewed(value, 'from the installation file, which root wrote');

async function findSpool(config: Config, installation: Installation, context: Context): Promise<Clean> {
  const { spool_directory: template } = config.main;
  const named = await expanded(template, 'spool_directory', context);
  return absolute(named ?? installed(installation.spoolDirectory), 'spool_directory');
}

interface LogPaths {
  readonly logPaths: readonly Clean[];
  readonly logsToSyslog: boolean;
  readonly unused: boolean;
}

async function findLogPaths(
  config: Config,
  installation: Installation,
  context: Context,
  spoolDirectory: Clean,
): Promise<LogPaths> {
  const standard = installed(installation.logFilePath);
  const list = (await expanded(config.main.log_file_path, 'log_file_path', context)) ?? standard;
  return parseLogPaths(list, spoolDirectory, standard);
}

/** Where the panic log is, for what must be told before there is a runtime. @throws BadSetting */
export async function earlyLogPaths(
  config: Config,
  installation: Installation,
  context: Context,
): Promise<readonly Clean[]> {
  const spoolDirectory = await findSpool(config, installation, context);
  const inner: Context = { ...context, settings: { ...context.settings, spoolDirectory } };
  return (await findLogPaths(config, installation, inner, spoolDirectory)).logPaths;
}

export async function findPlaces(config: Config, installation: Installation, context: Context): Promise<Places> {
  const { main } = config;
  const spoolDirectory = await findSpool(config, installation, context);
  const settings: Settings = { ...context.settings, spoolDirectory };
  const inner: Context = { ...context, settings };
  const number = trim((await expanded(main.localhost_number, 'localhost_number', inner)) ?? '');
  if (number !== '' && !/^\d+$/.test(number)) throw new BadSetting(`localhost_number value is not a number: ${number}`);
  if (Number(number) > greatestHostNumber) {
    throw new BadSetting(`localhost_number is greater than the maximum allowed value (${greatestHostNumber})`);
  }
  const { logPaths, logsToSyslog, unused } = await findLogPaths(config, installation, inner, spoolDirectory);
  const pidFile =
    (await expanded(main.pid_file_path, 'pid_file_path', inner)) ??
    (installation.pidFilePath === ''
      ? pathOf(spoolDirectory, literal('exim-daemon.pid'))
      : installed(installation.pidFilePath));
  return {
    spoolDirectory,
    logPaths,
    logsToSyslog,
    unusedLogPaths: unused,
    pidFile,
    notifierSocket: (await expanded(main.notifier_socket, 'notifier_socket', inner)) ?? '',
    hostNumber: number === '' ? undefined : Number(number),
    settings: { ...settings, localhostNumber: number, logFileDirectory: logPaths[0]?.replace(/\/[^/]*$/, '') },
  };
}

/**
 * Items of log_file_path: a file name, `syslog`, and an empty one for the usual place (Exim spec 53.2). A relative name is
 * one in the spool directory; of several files the first is used.
 */
function parseLogPaths(list: Clean, spoolDirectory: Clean, standard: Clean): LogPaths {
  const paths: Clean[] = [];
  let named = 0;
  let logsToSyslog = false;
  const inSpool = pathOf(spoolDirectory, literal('log'), literal('%slog'));
  if (trim(list) === '') return { logPaths: [inSpool], logsToSyslog, unused: false };
  for (const item of list.split(':')) {
    const name = trim(item);
    if (lower(name) === 'syslog') logsToSyslog = true;
    else if (name === '') paths.push(standard === '' ? inSpool : standard);
    else {
      named++;
      paths.push(logPath(reviewed(name, 'an item of a clean list'), spoolDirectory));
    }
  }
  const [first] = paths;
  const none = logsToSyslog ? [] : [inSpool];
  return { logPaths: first === undefined ? none : [first], logsToSyslog, unused: named > 1 };
}

/** The longest name of a log file (Exim has as much room). */
const longestLogPath = 255;

function logPath(name: Clean, spoolDirectory: Clean): Clean {
  if (!name.includes('%s')) throw new BadSetting(`log_file_path "${name}" does not contain "%s"`, true);
  // one kind of log, and one kind of date
  const rest = name.replace('%s', '').replace(/%[DM]/, '');
  if (rest.includes('%')) throw new BadSetting(`log_file_path "${name}" contains unexpected "%" character`, true);
  if (name.length > longestLogPath) throw new BadSetting('log file path too long: aborting', true);
  return name.startsWith('/') ? name : pathOf(spoolDirectory, name);
}
