/** The first lines of what `-d` shows: which program this is, whose, and what its DBM files are. */

import type { Dialect } from '../config/config.ts';
import { productVersion } from '../expand/version.ts';

/** `selection` is what stands behind `-d`. Exim 3 had levels, which are shown as it showed them. */
export function debugHeading(selection: string, dialect: Dialect): string {
  const level = dialect === 3 && /^\d+$/.test(selection) ? ` debug level ${selection}` : '';
  const { pid } = process;
  return `Tabella version ${productVersion}${level} uid=${process.getuid?.() ?? 0} gid=${process.getgid?.() ?? 0} pid=${pid}
DBM files are cdb; Berkeley DB hash files are read, too
`;
}
