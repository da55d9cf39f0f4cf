/** Takes the addresses the daemon listens on, and tries again while others have them (Exim spec 14: daemon_startup_retries). */

import { errorCode, errorText } from '../lib/errno.ts';
import type { Runtime } from '../mta/runtime.ts';
import { type Listener, listen, listenOn, type Taken } from '../net/listen.ts';
import { withFullRightsFor } from '../safe/privileges.ts';
import { type Interface, isWildcard } from './interfaces.ts';

/** Ports below need the rights of root. */
const firstFreePort = 1024;

/** An address could not be had. */
export class CannotListen extends Error {}

function nameOf({ address }: Interface): string {
  if (!isWildcard(address)) return address;
  return address.includes(':') ? '(any IPv6)' : '(any IPv4)';
}

/** Listens on one address; nothing when there is no such family on this machine and it is not needed. */
async function take(
  place: Interface,
  optional: boolean,
  { config, logs }: Runtime,
  onConnection: (connection: Taken) => void,
  retries: number,
): Promise<Listener | undefined> {
  const { main } = config;
  for (let tries = retries; ; tries--) {
    try {
      const settings = {
        ...place,
        // a short queue would turn clients away while a burst is taken in
        backlog: Math.max(main.smtp_connect_backlog, 1024),
        noDelay: main.tcp_nodelay,
        keepAlive: main.smtp_accept_keepalive,
      };
      const begin = (): Promise<Listener> => listen(settings, onConnection);
      return await (place.port < firstFreePort ? withFullRightsFor(begin) : begin());
    } catch (error) {
      const code = errorCode(error);
      if (optional && ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EINVAL'].includes(code ?? '')) return undefined;
      const what = `socket bind() to port ${place.port} for address ${nameOf(place)} failed: ${errorText(error)}`;
      if (tries <= 0) throw new CannotListen(`${what}: daemon abandoned`);
      const seconds = main.daemon_startup_sleep;
      logs.main(`${what}: waiting ${seconds}s before trying again (${tries} more ${tries === 1 ? 'try' : 'tries'})`);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}

/** The listening socket that is standard input (`-bw`). @throws CannotListen */
export async function takeGiven({ config }: Runtime, onConnection: (connection: Taken) => void): Promise<Listener> {
  const { tcp_nodelay: noDelay, smtp_accept_keepalive: keepAlive } = config.main;
  try {
    return await listenOn(0, { noDelay, keepAlive }, onConnection);
  } catch (error) {
    throw new CannotListen(`standard input is no listening socket: ${errorText(error)}`);
  }
}

/** Listens on all of them; `retries` says how often each is tried again. @throws CannotListen */
export async function takeAll(
  interfaces: readonly Interface[],
  runtime: Runtime,
  onConnection: (connection: Taken) => void,
  retries: number = runtime.config.main.daemon_startup_retries,
): Promise<Listener[]> {
  const taken: Listener[] = [];
  try {
    for (const place of interfaces) {
      // the standard list names both families, and a machine may have one of them only
      const hasOther = interfaces.some(
        ({ address, port }) => isWildcard(address) && port === place.port && address !== place.address,
      );
      const optional = isWildcard(place.address) && place.address.includes(':') && hasOther;
      const listener = await take(place, optional, runtime, onConnection, retries);
      if (listener !== undefined) taken.push(listener);
    }
    return taken;
  } catch (error) {
    for (const listener of taken) listener.close();
    throw error;
  }
}
