/** The servers of a kind of database, each with the connections that are open to it, and how one of them is asked. */

import type { Clean } from '../safe/taint.ts';
import { type Found, LookupProblem } from './lookup.ts';
import type { ServerAnswer } from './server-list.ts';
import { type PooledConnection, ServerPool } from './server-pool.ts';

/** No connection could be made. */
export class Unreachable extends Error {}

/** What an item of a list of servers says. */
type Place<P> = P | { readonly error: string };

/** What becomes of an error, other than that no connection could be made. */
export interface OnError {
  /** Whether it may be asked once more: the connection was an old one, and the server was started again meanwhile. */
  repeats(error: unknown): boolean;
  answer(error: unknown): ServerAnswer;
}

export class ServerPools<P extends object, C extends PooledConnection> {
  readonly #pools = new Map<Clean, ServerPool<C>>();
  readonly #placeOf: (item: Clean) => Place<P>;
  readonly #opener: (place: P) => () => Promise<C>;

  /** `opener` answers how connections to a place are opened, one after the other; they throw Unreachable. */
  constructor(placeOf: (item: Clean) => Place<P>, opener: (place: P) => () => Promise<C>) {
    this.#placeOf = placeOf;
    this.#opener = opener;
  }

  /** Asks one server. @throws LookupProblem */
  async ask(item: Clean, work: (connection: C) => Promise<Found>, onError: OnError): Promise<ServerAnswer> {
    const pool = this.#pool(item);
    if ('error' in pool) return { outcome: 'defer', message: pool.error, final: true };
    try {
      return await pool.use(work).catch((error: unknown) => {
        if (error instanceof Unreachable || error instanceof LookupProblem || !onError.repeats(error)) throw error;
        return pool.use(work, true);
      });
    } catch (error) {
      if (error instanceof LookupProblem) throw error;
      if (error instanceof Unreachable) return { outcome: 'defer', message: error.message, unreachable: true };
      return onError.answer(error);
    }
  }

  #pool(item: Clean): ServerPool<C> | { readonly error: string } {
    const known = this.#pools.get(item);
    if (known !== undefined) return known;
    const place = this.#placeOf(item);
    if ('error' in place) return place;
    const pool = new ServerPool(this.#opener(place));
    this.#pools.set(item, pool);
    return pool;
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }
}
