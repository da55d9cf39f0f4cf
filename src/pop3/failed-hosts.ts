/**
 * Hosts whose logins fail again and again: each failure makes the answer to the next one later, so that guessing
 * passwords takes long. Nobody is shut out: who shares an address with a guesser, and knows his password, gets in.
 */

import * as clock from '../lib/clock.ts';
import { Cache } from '../lib/lru.ts';
import { parseIp } from '../net/address.ts';

/** Failures that cost no more than the usual second: people mistype. */
const forgiven = 3;
/** The longest wait, in seconds. */
const longest = 15;
/** Milliseconds after the last failure in which a host is remembered. */
const memory = 10 * 60_000;
const mostHosts = 10_000;

interface Record {
  readonly count: number;
  readonly last: number;
}

/** A network of IPv6 counts as one host: whoever has one address of it has them all. */
function keyOf(address: string): string {
  const octets = parseIp(address);
  return octets === undefined || octets.length === 4 ? address : octets.slice(0, 8).join('.');
}

export class FailedHosts {
  readonly #hosts = new Cache<string, Record>(mostHosts);

  /** Notes a failed login; answers the seconds after which it is to be answered. */
  failed(address: string): number {
    const key = keyOf(address);
    const now = clock.elapsed();
    const before = this.#hosts.get(key);
    const count = before !== undefined && now - before.last < memory ? before.count + 1 : 1;
    this.#hosts.set(key, { count, last: now });
    return Math.min(1 + Math.max(count - forgiven, 0), longest);
  }
}
