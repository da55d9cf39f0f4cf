/** One delivery by a remote transport: its options are expanded, its header lines made, then the transport does the rest. */

import type { Context } from '../expand/context.ts';
import { freshResults } from '../expand/expand.ts';
import { isIp } from '../net/address.ts';
import { parseHostItems } from '../routers/hosts.ts';
import type { Host } from '../routers/router.ts';
import { literal, reviewed } from '../safe/taint.ts';
import type { KeptConnection } from '../transports/smtp-kept.ts';
import {
  type Content,
  type DeliveryAddress,
  type DeliveryRequest,
  deferred,
  errorCodes,
  type RemoteResult,
  type RemoteTransport,
  type Undelivered,
} from '../transports/transport.ts';
import { topOf } from './address.ts';
import { rewriteTools } from './arrival.ts';
import type { Attempt } from './attempt.ts';
import { type ContentPlan, type ContentProblem, deliveredHeaders, isForAllHosts } from './content.ts';
import { type Batch, commonChecks, deliveryAddress, deliveryFacts, errorsAddress } from './delivery-request.ts';
import { notificationOf } from './notification.ts';
import { RemoteKnowledge } from './remote-services.ts';
import type { Delivery } from './routing.ts';

export interface RemoteDelivery {
  /** For each delivery of the batch, in its order. */
  readonly results: readonly RemoteResult[];
  readonly returnPath: string;
  readonly size: number;
  /** Whether retry rules allow no further attempt for any host that failed; nothing when none failed. */
  readonly timedOut: boolean | undefined;
  /** Sees the addresses and the message, for what follows the delivery. */
  readonly context: Context;
}

/** A batch goes over the connection of an earlier message, or over its own. */
export type Over = KeptConnection | undefined;

/** The router's fallback hosts; nothing when those of the transport count (Exim spec 15, fallback_hosts). */
function fallbackHosts({ router }: Delivery): readonly Host[] | undefined {
  const list = router.common.fallback_hosts;
  if (list === undefined) return undefined;
  return parseHostItems(list.source, false).map(({ name, port }) => ({
    name,
    address: isIp(name) ? name : '',
    port,
    mx: undefined,
    secure: false,
  }));
}

/** Delivers to addresses that go to the same hosts; does nothing when the connection `over` does not lead to one of them. */
export async function deliverRemotely(batch: Batch, attempt: Attempt, over: Over): Promise<RemoteDelivery | undefined> {
  const [first] = batch;
  const { runtime, message, options, firstDelivery } = attempt;
  const context: Context = { ...attempt.context, results: freshResults() };
  const knowledge = new RemoteKnowledge(attempt, context, first.transport);
  let returnPath = errorsAddress(first, message.envelope.sender);
  const answer = (results: readonly RemoteResult[], size = 0): RemoteDelivery => {
    return { results, returnPath, size, timedOut: knowledge.timedOut, context };
  };
  const nobody = (result: Undelivered): RemoteDelivery => answer(batch.map(() => ({ ...result, host: undefined })));
  context.address = first.facts;
  context.delivery = deliveryFacts(first, returnPath, { firstDelivery, queueRunning: options.queueRun });
  const panic = (line: string): void => runtime.logs.panic(line, message.id);
  const checked = await commonChecks(first, context, context.message?.size ?? 0, panic);
  if ('outcome' in checked) {
    return checked.outcome === 'delivered' ? nobody(deferred(errorCodes.unknown, '')) : nobody(checked);
  }
  returnPath = checked.returnPath ?? returnPath;
  context.delivery = { ...context.delivery, returnPath };
  const plan: ContentPlan = {
    headers: message.envelope.headers,
    common: first.transport.common,
    added: first.inherited.headersAdd,
    removed: first.inherited.headersRemove,
    returnPath,
    envelopeTo: [...new Set(batch.map(({ address }) => topOf(address).address))],
    rewrite: rewriteTools(runtime, message.id, runtime.config.transportRewriteRules.get(first.transport.name) ?? []),
  };
  let content: Content = { headers: '', body: message.body };
  const contentAt = async (at: Context): Promise<Content | ContentProblem> => {
    const made = await deliveredHeaders(plan, at);
    if ('message' in made) return made;
    content = { ...made, body: message.body };
    return content;
  };
  const isForAll = isForAllHosts(first.transport.common);
  const made = isForAll ? await contentAt(context) : content;
  if ('message' in made) return nobody(deferred(errorCodes.headersFailed, made.message));
  const addresses = new Map<DeliveryAddress, Delivery>(
    batch.map((each) => [
      {
        ...deliveryAddress(each),
        notification: each.address.parent === undefined ? notificationOf(each.address, message.envelope) : undefined,
        reportsEnd: each.router.common.dsn_lasthop,
      },
      each,
    ]),
  );
  const request: DeliveryRequest = {
    transport: first.transport.name,
    common: first.transport.common,
    messageId: message.id,
    addresses: [...addresses.keys()],
    hosts: first.hosts,
    fallbackHosts: runtime.config.main.mua_wrapper ? [] : fallbackHosts(first),
    allOrNothing: runtime.config.main.mua_wrapper,
    over,
    begun: options.begun,
    returnPath,
    envelopeFacts: message.envelope.facts,
    content,
    contentAt: isForAll ? undefined : contentAt,
    context,
    home: undefined,
    directory: literal('/'),
    primaryHostname: reviewed(runtime.settings.primaryHostname, 'a setting of the configuration or of the system'),
    uid: runtime.user.uid,
    gid: runtime.user.gid,
  };
  if (attempt.dontDeliver)
    return answer(
      request.addresses.map(() => bypassed(first)),
      sizeOf(content, context),
    );
  const worker = first.transport.worker as RemoteTransport;
  const outcomes = await worker.deliver(request, knowledge);
  if (over !== undefined && outcomes.length === 0) return undefined;
  const byAddress = new Map(outcomes.map(({ address, result }) => [address, result]));
  const forgotten: RemoteResult = {
    ...deferred(errorCodes.unknown, `no result for this address from ${first.transport.name} transport`, {
      panic: true,
    }),
    host: undefined,
  };
  return answer(
    request.addresses.map((address) => byAddress.get(address) ?? forgotten),
    sizeOf(content, context),
  );
}

/** Octets as they go over the network: CRLF at the end of each line, and the final dot. */
function sizeOf({ headers, body }: Content, { message }: Context): number {
  const lines = headers.split('\n').length + (message?.bodyLineCount ?? 0);
  return headers.length + 1 + body.size + lines + '.\r\n'.length;
}

/** What `-N` says (Exim spec 5). */
function bypassed({ hosts }: Delivery): RemoteResult {
  const host = hosts[0] ?? { name: '', address: '', port: undefined, mx: undefined, secure: false };
  const confirmation = 'delivery bypassed by -N option';
  return { outcome: 'delivered', host, confirmation, continued: false, transaction: 0, pipelining: false };
}
