/** TLS sessions with servers that may be taken up again (Exim spec 43.17): kept in memory, and so only by the daemon. */

import { Cache } from '../lib/lru.ts';
import type { ClientTls } from '../net/tls.ts';

const known = new Cache<string, Buffer>(1000);

/**
 * The session of last time, and where the next one is kept. `of` is all that the handshake depends on: a session that was
 * begun without a look at the certificate must not be taken up where one is needed.
 */
export function sessionOf(of: readonly unknown[]): NonNullable<ClientTls['resumption']> {
  const key = JSON.stringify(of);
  return { session: known.get(key), keep: (session) => known.set(key, session) };
}
