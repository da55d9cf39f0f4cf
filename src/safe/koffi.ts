/** The foreign function interface, loaded when it is first needed: that takes longer than all else a short command does. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

type Koffi = typeof import('koffi').default;

let loaded: Koffi | undefined;

export function koffi(): Koffi {
  loaded ??= createRequire(join(import.meta.dirname, 'any'))('koffi') as Koffi;
  return loaded;
}
