/**
 * The course of a delivery by the smtp transport; which hosts are tried is in `smtp-walk.ts`, what happens at one of them
 * in `smtp-attempt.ts`.
 */

import type { RemoteServices } from './remote-services.ts';
import { fallbackHostsOf, hostsOf } from './smtp-hosts.ts';
import { portOf, protocolOf } from './smtp-port.ts';
import { type Results, type SmtpOptions, type SmtpRun, Unusable } from './smtp-run.ts';
import { continueOver, walk } from './smtp-walk.ts';
import {
  type ConnectionRequest,
  type DeliveryAddress,
  type DeliveryRequest,
  deferred,
  errorCodes,
  type RemoteOutcome,
  type Undelivered,
} from './transport.ts';
import type { CompiledFilter } from './transport-filter.ts';

/** Texts that cannot stand in a line of SMTP. */
const unspeakable = /[\0\r\n]/;

/** Sets aside what must not or cannot be sent at all; answers for whom there is something to do. */
function examine(options: SmtpOptions, request: DeliveryRequest, results: Results): readonly DeliveryAddress[] {
  const refuse = (address: DeliveryAddress, message: string): void => {
    results.set(address, { outcome: 'failed', code: 0, message, host: undefined });
  };
  const longest = request.context.message?.maxReceivedLineLength ?? 0;
  for (const address of request.addresses) {
    if (longest > options.message_linelength_limit) refuse(address, 'message has lines too long for transport');
    else if (unspeakable.test(address.recipient)) refuse(address, 'the address holds a line end');
    else if (unspeakable.test(request.returnPath)) refuse(address, 'the sender address holds a line end');
  }
  return request.addresses.filter((address) => !results.has(address));
}

const unexpected = (error: unknown): Undelivered =>
  deferred(errorCodes.unknown, `unexpected error in smtp: ${String(error)}`, { panic: true });

/** What the options of an instance say. */
export interface SmtpSettings {
  readonly options: SmtpOptions;
  readonly portIsSet: boolean;
  readonly filter: CompiledFilter | undefined;
}

/** Answers for each address that has a result. */
export async function deliver(
  { options, portIsSet, filter }: SmtpSettings,
  request: DeliveryRequest,
  services: RemoteServices,
): Promise<readonly RemoteOutcome[]> {
  const results: Results = new Map();
  try {
    const addresses = examine(options, request, results);
    if (addresses.length > 0) {
      const port = await portOf(options, portIsSet, request);
      const run: SmtpRun = { options, request, services, protocol: protocolOf(options), port, filter };
      const hosts = await hostsOf(run);
      if (request.over !== undefined) {
        if (!(await continueOver(run, request.over, hosts, addresses, results))) return [];
      } else {
        const open = await walk(run, hosts, addresses, results);
        const fallback = fallbackHostsOf(run);
        if (open.length > 0 && fallback.hosts.length > 0) await walk(run, fallback, open, results);
      }
    }
  } catch (error) {
    // whatever happened, nobody may forget who has got the message
    const result = error instanceof Unusable ? error.result : unexpected(error);
    for (const address of request.addresses) {
      const known = results.get(address);
      if (known === undefined || known.outcome === 'deferred') results.set(address, { ...result, host: undefined });
    }
  }
  return request.addresses.flatMap((address) => {
    const result = results.get(address);
    return result === undefined ? [] : [{ address, result }];
  });
}

/** The names of the hosts that a delivery would try; none when that cannot be told. */
export async function hostNames(options: SmtpOptions, request: ConnectionRequest): Promise<readonly string[]> {
  try {
    const { hosts } = await hostsOf({ options, request });
    return [...new Set(hosts.map(({ name }) => name))];
  } catch (error) {
    if (error instanceof Unusable) return [];
    throw error;
  }
}
