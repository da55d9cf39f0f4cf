/**
 * Memory of what streams through. Octets lie outside the heap of the run-time, which looks for unused ones only when
 * tens of megabytes have gathered; whoever moves much calls `passed`, and a short search keeps that down to a few.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Octets between two searches; each takes about half a millisecond. */
const interval = 512 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | undefined;
let since = 0;

/** Tells that so many octets were read and written, and are not needed any more. */
export function passed(octets: number): void {
  since += octets;
  if (since < interval) return;
  since = 0;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  collect({ type: 'minor' });
}
