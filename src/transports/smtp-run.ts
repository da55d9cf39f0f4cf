/** One run of the smtp transport: what all of its parts work with. */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { Eventual } from '../lib/eventual.ts';
import { lower, trim } from '../lib/octets.ts';
import { type ListSetting, matchTemplate } from '../lists/option.ts';
import type { TlsFacts } from '../net/tls.ts';
import type { OptionsOf } from '../options/table.ts';
import type { Host } from '../routers/router.ts';
import type { ConnectionServices, RemoteServices } from './remote-services.ts';
import type { Dane } from './smtp-dane.ts';
import type { smtpOptions } from './smtp-options.ts';
import {
  type ConnectionRequest,
  type DeliveryAddress,
  type DeliveryRequest,
  deferred,
  errorCodes,
  type LocalEnd,
  type RemoteResult,
  type Undelivered,
} from './transport.ts';
import type { CompiledFilter } from './transport-filter.ts';

export type SmtpOptions = OptionsOf<typeof smtpOptions>;

/** What connections are made with, whatever they are for. */
export interface SmtpSetup {
  readonly options: SmtpOptions;
  readonly request: ConnectionRequest;
  readonly services: ConnectionServices;
  readonly protocol: 'smtp' | 'lmtp';
  /** For hosts that come without one. */
  readonly port: number;
  /** The host that is connected to is protected by the DNS. */
  readonly dane?: Dane | undefined;
  /** This side of the connection, once there is one. */
  readonly local?: LocalEnd | undefined;
  /** A callout may do without TLS where a delivery may not (hosts_verify_avoid_tls). */
  readonly isCallout?: boolean | undefined;
}

export interface SmtpRun extends SmtpSetup {
  readonly request: DeliveryRequest;
  readonly services: RemoteServices;
  readonly filter: CompiledFilter | undefined;
}

/** A host whose address and port are known. */
export interface ReachableHost extends Host {
  readonly port: number;
}

/** What became of each address; one that is deferred may still be tried at another host. */
export type Results = Map<DeliveryAddress, RemoteResult>;

/** Ends the run: it is the result of every address that has none yet. */
export class Unusable {
  readonly result: Undelivered;
  constructor(code: number, message: string, panic = false) {
    this.result = deferred(code, message, panic ? { panic } : {});
  }
}

/** The context in which options about a host are expanded (Exim spec 30.2). */
export function contextOf({ request, local }: SmtpSetup, host: Host, tls?: TlsFacts): Context {
  const { context, transport, returnPath } = request;
  const known = context.delivery ?? {
    transportName: transport,
    returnPath,
    inode: 0,
    pipeAddresses: [],
    firstDelivery: false,
    queueRunning: false,
  };
  const { name, address, port = -1 } = host;
  return { ...context, delivery: { ...known, host: name, hostAddress: address, hostPort: port, local, tls } };
}

/** Tells the configuration what happens at a host; the text is an objection (Exim spec 61). */
export function raiseAt(
  run: SmtpSetup,
  host: Host,
  name: string,
  data = '',
  code = 0,
  tls?: TlsFacts,
): Eventual<string> {
  const context = contextOf(run, host, tls);
  const { address } = context;
  return run.services.raise({ name, data, code }, { ...context, address: address && { ...address, routerName: '' } });
}

/** Whether a host is in the list of an option; a list that cannot tell says no, and the log tells why. */
export async function isListed(
  run: SmtpSetup,
  list: ListSetting | undefined,
  host: Host,
  tls?: TlsFacts,
): Promise<boolean> {
  if (list === undefined) return false;
  const answer = await matchTemplate(list, host.address, contextOf(run, host, tls), { hostName: host.name });
  if (answer.outcome === 'defer') run.services.log(answer.message);
  return answer.outcome === 'match';
}

const truth: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
]);

/** The value of a switch that may depend on the host. */
export async function isOn(run: SmtpSetup, name: string, value: boolean | Template, host: Host): Promise<boolean> {
  if (typeof value === 'boolean') return value;
  const { transport } = run.request;
  const expansion = await value.expand(contextOf(run, host));
  if (!expansion.ok) {
    throw new Unusable(
      errorCodes.unknown,
      `failed to expand "${name}" in ${transport} transport: ${expansion.message}`,
    );
  }
  const word = trim(expansion.text.value);
  const known = truth.get(lower(word));
  if (known !== undefined) return known;
  throw new Unusable(errorCodes.unknown, `"${word}" is not a valid value for the "${name}" option`);
}
