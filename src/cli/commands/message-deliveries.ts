/** Deliveries of messages that are named: `-M`, `-Mc`, `-Mg` (Exim spec 5). Whatever comes of them, the status is 0. */

import { type DeliveryOptions, type DeliveryTools, ordinary } from '../../mta/attempt.ts';
import { deliver } from '../../mta/deliver.ts';
import { closeDeliveryTools } from '../../mta/delivery-tools.ts';
import { openQueued } from '../../mta/open-queued.ts';
import type { QueueId } from '../../safe/taint.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { Call } from '../call.ts';
import { deliveryTools } from '../delivery.ts';

/** Whether the caller may have messages of the queue delivered, and with `-N` have them thrown away. */
export function mayDeliver({ invocation, runtime, caller }: Call): boolean {
  const isServer = caller.uid === 0 || caller.uid === runtime.user.uid;
  if (invocation.dontDeliver && !isServer) return false;
  return caller.isAdmin || !runtime.config.main.prod_requires_admin;
}

/** `-M` and `-Mc` */
export function deliverMessages(
  ids: readonly QueueId[],
  options: Partial<DeliveryOptions>,
  call: Call,
): Promise<number> {
  if (!mayDeliver(call)) return refuse(call, 'Permission denied');
  return withEach(ids, call, (message, tools) => {
    if (call.invocation.dontDeliver) message.envelope.facts.dontDeliver = true;
    return deliver(message, { ...ordinary, ...options }, tools);
  });
}

/** `-Mg` */
export function giveUpMessages(ids: readonly QueueId[], call: Call): Promise<number> {
  if (!call.caller.isAdmin) return refuse(call, 'permission denied');
  const { logs } = call.runtime;
  return withEach(ids, call, (message, tools) => {
    const { facts } = message.envelope;
    if (facts.frozen !== undefined) logs.main('Unfrozen by forced delivery', message.id);
    facts.frozen = undefined;
    logs.main(`cancelled by ${call.caller.login}`, message.id);
    return deliver(message, { ...ordinary, giveUp: true }, tools);
  });
}

async function refuse({ terminal }: Call, why: string): Promise<number> {
  terminal.error(`exim: ${why}\n`);
  return 1;
}

async function withEach(
  ids: readonly QueueId[],
  call: Call,
  act: (message: SpooledMessage, tools: DeliveryTools) => Promise<void>,
): Promise<number> {
  const tools = deliveryTools(call);
  try {
    for (const id of ids) {
      const message = openQueued(id, { tellOfMissing: true }, call.runtime);
      if (message !== undefined) await act(message, tools);
    }
  } finally {
    closeDeliveryTools(tools);
  }
  return 0;
}
