/** The smtp transport's part of callouts: the hosts, and sessions with them under the limits of a callout (Exim spec 44.46). */

import type { CalloutRequest, CalloutTarget, NoCallout } from './callout.ts';
import type { ConnectionServices } from './remote-services.ts';
import { interfaceFor, openConnection } from './smtp-connection.ts';
import { hostsOf, withAddresses } from './smtp-hosts.ts';
import { identityFor, KeptConnection } from './smtp-kept.ts';
import { portOf, protocolOf } from './smtp-port.ts';
import { type ReachableHost, raiseAt, type SmtpOptions, type SmtpSetup, Unusable } from './smtp-run.ts';

/** Addresses that are asked at most, however many a list of hosts comes to. */
const mostHosts = 50;

export async function prepareCallout(
  options: SmtpOptions,
  portIsSet: boolean,
  request: CalloutRequest,
  services: ConnectionServices,
): Promise<CalloutTarget | NoCallout> {
  if (request.hosts.length === 0 && options.hosts === undefined)
    return { hosts: [], open: nobody, close: nobody, hold: nobody };
  const { timeout, connectTimeout } = request;
  const limited = { ...options, command_timeout: timeout, connect_timeout: connectTimeout };
  try {
    const port = await portOf(options, portIsSet, request);
    const setup: SmtpSetup = {
      options: limited,
      request,
      services,
      protocol: protocolOf(options),
      port,
      isCallout: true,
    };
    const hosts = await reachable(setup);
    return {
      hosts,
      open: (host) => open(setup, host),
      async close(host, { session }) {
        session.quit();
        // it is not about a host any more
        await raiseAt(setup, { ...host, name: '', address: '' }, 'tcp:close');
      },
      async hold(host, connection) {
        const identity = await identityFor(setup, host, connection);
        return new KeptConnection(request.transport, host, connection, { sent: 0, identity, release: () => undefined });
      },
    };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    services.log(error.result.message);
    return { unusable: true };
  }
}

const nobody = (): Promise<never> => Promise.reject(new Error('there is no host to ask'));

async function reachable(setup: SmtpSetup): Promise<readonly ReachableHost[]> {
  const { hosts } = await hostsOf(setup);
  const found: ReachableHost[] = [];
  for (const host of hosts) {
    const port = host.port ?? setup.port;
    const known = host.address === '' ? await withAddresses(setup, host) : [host];
    found.push(...known.map((each) => ({ ...each, port })));
    if (found.length >= mostHosts) break;
  }
  return found.slice(0, mostHosts);
}

const open = async (setup: SmtpSetup, host: ReachableHost): ReturnType<CalloutTarget['open']> => {
  try {
    return await openConnection(setup, host, await interfaceFor(setup, host));
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return { outcome: 'deferred', of: 'host', error: error.result };
  }
};
