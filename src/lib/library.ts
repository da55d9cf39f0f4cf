/** Libraries that few commands need, loaded when they are first used: a short command is done before they are. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

const loaded = new Map<string, unknown>();

/** What the module of that name exports; whoever loads it says of what type that is. */
export function loadLibrary(name: string): unknown {
  let library = loaded.get(name);
  if (library === undefined) {
    library = createRequire(join(import.meta.dirname, 'any'))(name) as unknown;
    loaded.set(name, library);
  }
  return library;
}
