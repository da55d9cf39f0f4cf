/**
 * Message identifications (Exim spec 3.4): time, process and fraction of the second in base 62, in the form 6-11-4 that
 * Exim has since 4.97. Ids of the older form 6-6-2 are understood.
 */

import { base62, fromBase62 } from '../lib/base62.ts';
import * as clock from '../lib/clock.ts';
import { type QueueId, queueId } from '../safe/taint.ts';

/**
 * The fraction is a count of two microseconds; hosts that share a spool are told apart in what is above a second, for
 * whose numbers, which go to 16, the four digits have room only so.
 */
const unit = 2;
const perHost = 1_000_000 / unit;

let lastSecond = 0;
let lastFraction = -1;

/** A new id, different from all others of this host. `hostNumber` is localhost_number. */
export function newId(hostNumber = 0): QueueId {
  const at = clock.microseconds();
  let second = Math.floor(at / 1_000_000);
  let fraction = Math.floor((at % 1_000_000) / unit);
  if (second < lastSecond || (second === lastSecond && fraction <= lastFraction)) {
    second = lastSecond;
    fraction = lastFraction + 1;
    if (fraction >= perHost) [second, fraction] = [second + 1, 0];
  }
  [lastSecond, lastFraction] = [second, fraction];
  const text = `${base62(second, 6)}-${base62(process.pid, 11)}-${base62(hostNumber * perHost + fraction, 4)}`;
  const id = queueId(text);
  if (id === undefined) throw new Error(`malformed message id ${text}`);
  return id;
}

/** When a message came in, in seconds since 1970, as its id tells. */
export function timeOfId(id: QueueId): number {
  return fromBase62(id.slice(0, 6)) ?? 0;
}
