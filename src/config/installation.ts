/**
 * Installation defaults: what Exim fixes when it is built. They are constants here; one file beside the program, which
 * only root may have written, can change them. `-bV` shows them.
 */

import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';
import { groupNamed, userNamed } from '../safe/users.ts';

export interface Installation {
  /** Where the program lies. */
  readonly programDirectory: Clean;
  /** Names of configuration files; the first that exists is used. */
  readonly configureFile: string;
  readonly spoolDirectory: string;
  /** With `%s` for the kind of log; empty for `log/%slog` in the spool directory. */
  readonly logFilePath: string;
  /** Octal digits. */
  readonly logFileMode: string;
  /** Empty for `exim-daemon.pid` in the spool directory. */
  readonly pidFilePath: string;
  /** User and group of the server; of several names the first that exists. */
  readonly eximUser: string;
  readonly eximGroup: string;
  /** Who besides root may own the configuration file. */
  readonly configureOwner: string;
  readonly configureGroup: string;
  /** A file with the names of configuration files that any caller may use with `-C` (Exim spec 5, -C). */
  readonly trustedConfigList: string;
  /** Prefixes that such names must have. */
  readonly trustedConfigPrefix: string;
  /** Users whom nothing is ever delivered as, whatever the configuration says; separated by colons. */
  readonly fixedNeverUsers: string;
  /** Macros that the server's own user may set with `-D` without losing its rights. */
  readonly whitelistDMacros: string;
}

interface Row {
  readonly field: Exclude<keyof Installation, 'programDirectory'>;
  readonly standard: string;
  readonly doc: string;
}

const row = (field: Row['field'], standard: string, doc: string): Row => ({ field, standard, doc });

export const installationRows: ReadonlyMap<string, Row> = new Map([
  [
    'configure_file',
    row(
      'configureFile',
      '/etc/tabella/tabella.conf:/etc/exim4/exim4.conf:/etc/exim/exim.conf:/etc/exim.conf',
      'Names of the configuration file, separated by colons; the first that exists is used.',
    ),
  ],
  ['spool_directory', row('spoolDirectory', '/var/spool/exim', 'The spool, unless the configuration names one.')],
  ['log_file_path', row('logFilePath', '/var/log/exim/%slog', 'The logs, unless the configuration names them.')],
  ['log_file_mode', row('logFileMode', '0640', 'The mode of log files.')],
  [
    'pid_file_path',
    row('pidFilePath', '', "The daemon's pid file; when empty, exim-daemon.pid in the spool directory."),
  ],
  [
    'exim_user',
    row('eximUser', 'exim:Debian-exim:mail', 'The user of the server; of several names the first there is.'),
  ],
  ['exim_group', row('eximGroup', '', "The group of the server; when empty, that user's own.")],
  ['configure_owner', row('configureOwner', '', 'A user besides root who may own the configuration file.')],
  ['configure_group', row('configureGroup', '', 'A group that may write the configuration file.')],
  [
    'trusted_config_list',
    row('trustedConfigList', '', 'A file with the names of configuration files that may be given with -C.'),
  ],
  [
    'trusted_config_prefix',
    row('trustedConfigPrefix', '', 'What the names of configuration files given with -C must begin with.'),
  ],
  [
    'fixed_never_users',
    row('fixedNeverUsers', 'root', 'Users whom nothing is ever delivered as, separated by colons.'),
  ],
  [
    'whitelist_d_macros',
    row('whitelistDMacros', '', 'Macros that may be set with -D without a loss of rights, separated by colons.'),
  ],
]);

export const installationFileName = literal('installation.conf');

/** The defaults, changed by the installation file of the program if there is one. Answers what is wrong with it. */
export function readInstallation(programDirectory: Clean): {
  readonly installation: Installation;
  readonly problem: string | undefined;
} {
  const values = new Map([...installationRows].map(([name, { standard }]) => [name, standard]));
  const problem = readFileInto(pathOf(programDirectory, installationFileName), values);
  const installation: Record<string, string> = { programDirectory };
  for (const [name, { field, standard }] of installationRows) {
    installation[field] = problem === undefined ? (values.get(name) ?? standard) : standard;
  }
  return { installation: installation as unknown as Installation, problem };
}

function readFileInto(path: Clean, values: Map<string, string>): string | undefined {
  const found = files.stat(path);
  if (found === undefined) return undefined;
  if (found.uid !== 0 || (found.mode & 0o022) !== 0) {
    return `${path} is ignored: it must belong to root, and no other may write to it`;
  }
  for (const [index, line] of files
    .readText(path, 64 * 1024)
    .split('\n')
    .entries()) {
    const text = trim(line);
    if (text === '' || text.startsWith('#')) continue;
    const [, name = '', value] = /^([a-z_]+)[ \t]*=[ \t]*(.*)$/.exec(text) ?? [];
    if (value === undefined || !values.has(name)) return `line ${index + 1} of ${path} is not understood: ${text}`;
    values.set(name, value);
  }
  return undefined;
}

/** The server's own user: of the names in the installation the first that exists; else whoever runs this. */
export function serverUser(installation: Installation): {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
} {
  for (const name of splitList(installation.eximUser).items) {
    const user = userNamed(name);
    if (user === undefined) continue;
    const group = installation.eximGroup === '' ? undefined : groupNamed(installation.eximGroup);
    return { uid: user.uid, gid: group?.gid ?? user.gid, name: user.name };
  }
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: '' };
}

/** The configuration file to be used when none is named: the first of the list that exists, else the last. */
export function configureFile(installation: Installation): Clean {
  const names = splitList(installation.configureFile).items.map((name) => reviewed(name, 'from the installation file'));
  return names.find((name) => files.stat(name) !== undefined) ?? names.at(-1) ?? literal('/etc/exim.conf');
}
