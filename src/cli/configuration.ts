/** Finds and reads the configuration for a command, and tells what is wrong with it. */

import type { Config } from '../config/config.ts';
import { configureFile, type Installation, serverUser } from '../config/installation.ts';
import { parseConfig } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problems.ts';
import * as clock from '../lib/clock.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import { splitList } from '../lib/list-text.ts';
import { timestamp } from '../observe/main-log.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, reviewed } from '../safe/taint.ts';
import { groupNamed, userNamed } from '../safe/users.ts';
import type { Invocation } from './invocation.ts';

/** The configuration cannot be used; the message was told in full. */
export class UnusableConfiguration extends Error {}

/** Whether the file may be used with all rights: owned by root or the server, and written by nobody else. */
function isSafe(path: Clean, installation: Installation): boolean {
  const found = files.stat(path);
  if (found === undefined) return true;
  const server = serverUser(installation);
  const owner = userNamed(installation.configureOwner)?.uid;
  const group = groupNamed(installation.configureGroup)?.gid;
  const ownerIsRight = [0, server.uid, owner, process.getuid?.()].includes(found.uid);
  const groupIsRight = [0, server.gid, group].includes(found.gid) || (found.mode & 0o020) === 0;
  return ownerIsRight && groupIsRight && (found.mode & 0o002) === 0;
}

/** The file that is read: the first of `-C` that exists, or the installation's. */
export function chosenFile({ configFiles }: Invocation, installation: Installation): Clean {
  if (configFiles === undefined) return configureFile(installation);
  const names = splitList(configFiles).items.map((name) =>
    reviewed(name, 'named on the command line; the program gives up its special rights for it'),
  );
  return names.find((name) => files.stat(name) !== undefined) ?? names[0] ?? literal('');
}

export interface ReadConfiguration {
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** There is no file; the configuration is that of an empty one. */
  readonly missing: boolean;
}

/** Reads the file. @throws UnusableConfiguration when it cannot be read */
export async function readConfiguration(
  invocation: Invocation,
  installation: Installation,
  report: (text: string) => void,
): Promise<ReadConfiguration> {
  const path = chosenFile(invocation, installation);
  const standard = invocation.configFiles === undefined;
  if (standard && files.stat(path) === undefined) {
    const { config } = await parseConfig(path, '', invocation.macros);
    return { config, problems: [], missing: true };
  }
  if (standard && !isSafe(path, installation)) {
    throw fatal(report, `Exim configuration file ${path} has the wrong owner, group, or mode`);
  }
  let text: string;
  try {
    // whoever wants no configuration names /dev/null
    text = files.isNullDevice(path) ? '' : files.readText(path);
  } catch (error) {
    if (!standard && errorCode(error) === 'ENOENT') {
      throw fatal(report, `non-existent configuration file(s): ${invocation.configFiles}`);
    }
    throw fatal(report, `failed to open configuration file ${path}: ${errorText(error)}`);
  }
  const { config, problems } = await parseConfig(path, text, invocation.macros);
  return { config, problems: problems.all, missing: false };
}

function fatal(report: (text: string) => void, message: string): UnusableConfiguration {
  report(`${timestamp(clock.now())} ${message}\n`);
  return new UnusableConfiguration(message);
}

/** The errors, each in full. */
export function errorsIn(problems: readonly Problem[]): readonly string[] {
  return problems.filter(({ severity }) => severity === 'error').map(formatProblem);
}

/** Tells all errors; answers whether there were any. */
export function reportProblems(problems: readonly Problem[], report: (text: string) => void): boolean {
  const errors = errorsIn(problems);
  const stamp = timestamp(clock.now());
  for (const problem of errors) report(`${stamp} ${problem}\n`);
  return errors.length > 0;
}
