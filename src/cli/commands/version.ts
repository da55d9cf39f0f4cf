/**
 * `-bV`: which version this is, what it can do, and the defaults it was installed with (Exim spec 5, -bV). Lines that
 * other programs search for have Exim's form; only the name is our own.
 */

import { virusScanners } from '../../acl/conditions/malware.ts';
import { features } from '../../config/features.ts';
import { configureFile, type Installation, installationFileName, installationRows } from '../../config/installation.ts';
import { buildDate, compatibilityLevel, compileNumber, productVersion } from '../../expand/version.ts';
import { splitList } from '../../lib/list-text.ts';
import * as files from '../../safe/files.ts';
import { type Clean, pathOf } from '../../safe/taint.ts';
import { groupNamed, userNamed } from '../../safe/users.ts';
import { driverFamilies, driverVariants, lookupNames } from '../../tools/inventory.ts';
import type { Command } from '../call.ts';

/** `Title: word word`, as Exim writes its lists. */
const listLine = (title: string, words: readonly string[]): string => `${[`${title}:`, ...words].join(' ')}`;

const withVariants = (name: string): string => [name, ...(driverVariants.get(name) ?? [])].join('/');

function installedDefaults(installation: Installation): string[] {
  return [...installationRows].map(
    ([name, { field }]) => `  ${name} =${installation[field] && ` ${installation[field]}`}`,
  );
}

function configurationLine(installation: Installation, file: Clean): string {
  if (file !== configureFile(installation) || files.stat(file) !== undefined) return `Configuration file is ${file}`;
  return `Configuration file is missing: there is none of ${installation.configureFile}`;
}

/** The numbers of the users whom nothing is delivered as. */
function neverUsers({ fixedNeverUsers }: Installation): string[] {
  return splitList(fixedNeverUsers).items.map((name) => String(userNamed(name)?.uid ?? name));
}

/** All lines. `file` is the configuration file that was read, or would have been. */
export function versionLines(installation: Installation, file: Clean): string[] {
  return [
    `Tabella version ${productVersion} #${compileNumber} built ${buildDate}`,
    'Apache License 2.0',
    `Compatible with Exim version ${compatibilityLevel}`,
    listLine(
      'Support for',
      features.flatMap(({ word }) => word ?? []),
    ),
    listLine('Lookups (built-in)', lookupNames),
    ...driverFamilies.map(({ title, available }) =>
      listLine(
        title,
        available.map(({ name }) => withVariants(name)),
      ),
    ),
    listLine('Malware', [...virusScanners.keys()]),
    listLine('Fixed never_users', neverUsers(installation)),
    `Configure owner: ${userNamed(installation.configureOwner)?.uid ?? 0}:${groupNamed(installation.configureGroup)?.gid ?? 0}`,
    'Size of off_t: 8',
    `Installation defaults, which ${pathOf(installation.programDirectory, installationFileName)} may change:`,
    ...installedDefaults(installation),
    configurationLine(installation, file),
  ];
}

export const versionCommand: Command = async ({ installation, runtime, terminal }) => {
  for (const line of versionLines(installation, runtime.config.file)) terminal.out(`${line}\n`);
  return 0;
};
