/** What the heimdal_gssapi authenticator needs and this machine does not have. */

import type { Config } from '../../config/config.ts';
import type { Template } from '../../expand/expand.ts';
import { perlPlaces } from '../../expand/perl-process.ts';
import * as files from '../../safe/files.ts';
import { type Clean, clean, literal, pathOf, reviewed } from '../../safe/taint.ts';
import { type Remark, warning } from './remark.ts';

/** Where Perl keeps modules that are compiled, below a folder for the machine, and one for the version. */
const moduleRoots: readonly (readonly [root: Clean, folder: Clean])[] = [
  [literal('/usr/lib'), literal('perl5')],
  [literal('/usr/local/lib'), literal('perl')],
];

function foldersIn(directory: Clean): Clean[] {
  if (!files.mayAccess(directory, 'r')) return [];
  return [...files.listDirectories(directory)].map((name) =>
    pathOf(directory, reviewed(name, 'a name in a directory of the system')),
  );
}

function hasModule(): boolean {
  const folders = moduleRoots.flatMap(([root, folder]) =>
    [root, ...foldersIn(root)].flatMap((machine) => foldersIn(pathOf(machine, folder))),
  );
  return folders.some((folder) => files.mayAccess(pathOf(folder, literal('GSSAPI.pm')), 'r'));
}

export function* kerberos({ authenticators }: Config): Generator<Remark> {
  for (const { name, driver, options } of authenticators) {
    if (driver.name !== 'heimdal_gssapi') continue;
    const lacks = (what: string): Remark => warning(`authenticator ${name} cannot serve clients: ${what}`);
    if (!perlPlaces.some((perl) => files.mayAccess(perl, 'x'))) {
      yield lacks('perl is not installed (Debian: apt install perl libgssapi-perl)');
    } else if (!hasModule()) {
      yield lacks('the Perl module GSSAPI is not installed (Debian: apt install libgssapi-perl)');
    }
    const keytab = (options['server_keytab'] as Template | undefined)?.constant;
    const path = keytab && clean(keytab);
    if (path !== undefined && !files.mayAccess(path, 'r')) {
      yield lacks(`${path} of server_keytab is not there, or may not be read`);
    }
  }
}
