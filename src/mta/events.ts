/** Events: the configuration is told of what happens to messages and connections, and may object (Exim spec 61). */

import type { Context, EventFacts } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { Host } from '../routers/router.ts';
import { AclRunner } from './acl-runner.ts';
import { factsOf } from './address.ts';
import type { Attempt } from './attempt.ts';
import { deliveryFacts } from './delivery-request.ts';
import type { Delivery } from './routing.ts';
import type { Runtime } from './runtime.ts';
import type { UndeliveredAddress } from './undelivered.ts';

export type Event = Pick<EventFacts, 'name'> & Partial<EventFacts>;

/** A context in which `${acl}` runs ACLs, which see what the expansion sees. */
function withAcls(runtime: Runtime, context: Context): Context {
  const own: Context = {
    ...context,
    services: { ...context.services, runAcl: (name, args) => runner.runFromExpansion(name, args) },
  };
  const runner: AclRunner = new AclRunner(runtime, own, {
    delay: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    flush: async () => undefined,
    allowUnqualifiedSenders: true,
    makesCallouts: true,
    isTest: false,
  });
  return own;
}

/** Expands an event_action; the text is an objection, for those who ask before they act. */
export async function raise(
  template: Template | undefined,
  { name, data = '', code = 0 }: Event,
  runtime: Runtime,
  context: Context,
): Promise<string> {
  if (template === undefined) return '';
  const expansion = await template.expand(withAcls(runtime, { ...context, event: { name, data, code } }));
  if (expansion.ok) return expansion.text.value;
  runtime.logs.panic(`failed to expand event_action ${name}: ${expansion.message}`, context.message?.id);
  return '';
}

/** Tells the transport of a delivery. */
export async function raiseOf(delivery: Delivery, event: Event, attempt: Attempt, host?: Host): Promise<void> {
  const { runtime, message, options, firstDelivery, context } = attempt;
  const { transport, router, facts, hosts } = delivery;
  if (transport.common.event_action === undefined) return;
  const known = deliveryFacts(delivery, message.envelope.sender, { firstDelivery, queueRunning: options.queueRun });
  const at = host ?? (transport.driver.isLocal ? undefined : hosts[0]);
  await raise(transport.common.event_action, event, runtime, {
    ...context,
    address: { ...facts, routerName: router.name },
    delivery: { ...known, host: at?.name ?? '', hostAddress: at?.address ?? '', hostPort: at?.port ?? 0 },
  });
}

/** Tells the main section of an address that failed before any transport had it. */
export async function raiseFailure({ address, router, message }: UndeliveredAddress, attempt: Attempt): Promise<void> {
  const { runtime, context } = attempt;
  await raise(runtime.config.main.event_action, { name: 'msg:fail:internal', data: message }, runtime, {
    ...context,
    address: { ...factsOf(address), routerName: router ?? '' },
  });
}
