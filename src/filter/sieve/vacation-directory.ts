/**
 * The directory with the databases of `vacation`, which is made when it is not there. A database that nobody was noted in for longer than any script may ask for is
 * of no use to anybody, and is removed. So nothing else may be kept there (Exim spec 22.7, sieve_vacation_directory).
 */

import * as clock from '../../lib/clock.ts';
import * as files from '../../safe/files.ts';
import { withRightsOf } from '../../safe/privileges.ts';
import { clean, pathComponent, pathOf, type Text } from '../../safe/taint.ts';

/** So many names are looked at. */
const mostNames = 10_000;

const directoryMode = 0o700;

/** Makes the directory, or removes what was not written to for so many seconds, with the rights of the user. */
export function tidyDirectory(
  directory: Text,
  age: number,
  user: { readonly uid: number; readonly gid: number } | undefined,
): void {
  const path = clean(directory);
  if (path === undefined) return;
  withRightsOf(user, () => {
    try {
      if (files.makeDirectories(path, directoryMode)) return;
      let count = 0;
      for (const name of files.list(path)) {
        if (++count > mostNames) return;
        const component = pathComponent(name);
        if (component === undefined) continue;
        const file = pathOf(path, component);
        const found = files.linkStat(file);
        if (found?.isFile() && found.mtimeMs < (clock.seconds() - age) * 1000) files.removeIfPossible(file);
      }
    } catch {
      // the transport tells of a directory that cannot be used
    }
  });
}
