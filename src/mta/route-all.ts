/**
 * Routes all recipients of a message: what they turn into, in Exim's order. Each round takes the addresses that the one
 * before left; of what one address turns into, the last comes first.
 */

import type { Context } from '../expand/context.ts';
import { addressKey, originalAddress, type RouteAddress } from './address.ts';
import { deliveryKey } from './delivery-log.ts';
import { type RewriteTools, rewriteAddress } from './rewrite.ts';
import { route } from './route.ts';
import type { Delivery, Failed, RouteRules } from './routing.ts';

export interface RoutedMessage {
  readonly local: readonly Delivery[];
  readonly remote: readonly Delivery[];
  readonly failed: readonly Failed[];
  readonly deferred: readonly Failed[];
}

export interface RouteAllTools {
  readonly rules: Omit<RouteRules, 'purpose'>;
  /** For children of redirection. */
  readonly rewrite: RewriteTools;
  /** Addresses that are done already. */
  readonly done: ReadonlySet<string>;
  /** Told of each failure as it happens. */
  onFailed(failed: Failed): void;
  /** Whether routing of this address must wait for its retry time; the text says so. */
  mustWait(address: RouteAddress): Promise<string | undefined>;
  onDiscarded(address: RouteAddress, router: string): void;
}

export interface Recipient {
  readonly address: string;
  readonly errorsTo: string | undefined;
  /** Its place in the envelope. */
  readonly index: number;
}

const maximumAddresses = 500_000;

export async function routeAll(
  recipients: readonly Recipient[],
  context: Context,
  tools: RouteAllTools,
): Promise<RoutedMessage> {
  const local: Delivery[] = [];
  const remote: Delivery[] = [];
  const failed: Failed[] = [];
  const deferred: Failed[] = [];
  const targets = new Set<string>();
  let count = 0;
  let waiting: RouteAddress[] = recipients
    .map(({ address, errorsTo, index }) => originalAddress(address, index, errorsTo))
    .reverse();
  const take = (delivery: Delivery): void => {
    const key = deliveryKey(delivery);
    if (tools.done.has(key)) return;
    if (delivery.target !== undefined) {
      if (targets.has(key)) return;
      targets.add(key);
    }
    (delivery.transport.driver.isLocal ? local : remote).push(delivery);
  };
  while (waiting.length > 0) {
    const next: RouteAddress[] = [];
    const targetsFound: Delivery[] = [];
    for (const address of waiting) {
      const children: RouteAddress[] = [];
      const found: Delivery[] = [];
      if (++count > maximumAddresses) throw new Error('the message turns into too many addresses');
      if (address.parent !== undefined && tools.done.has(addressKey(address))) continue;
      const wait = await tools.mustWait(address);
      if (wait !== undefined) {
        deferred.push(waitingFor(address, wait));
        continue;
      }
      context.results.numeric = [];
      const routing = await route(address, context, { ...tools.rules, purpose: 'deliver' });
      switch (routing.outcome) {
        case 'delivered to':
          take(routing.delivery);
          if (routing.copy !== undefined) children.push(routing.copy);
          break;
        case 'replaced':
          for (const child of routing.children) {
            children.push(routing.rewrite ? await rewritten(child, tools.rewrite, context) : child);
          }
          found.push(...routing.deliveries);
          deferred.push(...routing.forbidden);
          if (routing.copy !== undefined) children.push(routing.copy);
          break;
        case 'discarded':
          tools.onDiscarded(address, routing.router.name);
          break;
        case 'failed':
          failed.push(routing);
          tools.onFailed(routing);
          children.push(...routing.children);
          found.push(...routing.deliveries);
          break;
        case 'deferred':
          deferred.push(routing);
          children.push(...routing.children);
          found.push(...routing.deliveries);
      }
      next.push(...children.reverse());
      targetsFound.push(...found.reverse());
    }
    for (const delivery of targetsFound) take(delivery);
    waiting = next;
  }
  return { local: unique(local), remote: unique(remote), failed, deferred };
}

function waitingFor(address: RouteAddress, message: string): Failed {
  return {
    address,
    message,
    router: undefined,
    children: [],
    deliveries: [],
    freeze: false,
    smtpCode: false,
    useLocalPart: true,
  };
}

async function rewritten(child: RouteAddress, tools: RewriteTools, context: Context): Promise<RouteAddress> {
  if (tools.rules.length === 0) return child;
  const { address } = await rewriteAddress(child.address, 'envelope recipient', tools, context);
  return address === child.address ? child : { ...originalAddress(address, child.recipient), ...carried(child) };
}

const carried = ({ parent, madeBy, inherited, from, hidden, selfHostname }: RouteAddress): Partial<RouteAddress> => ({
  parent,
  madeBy,
  inherited,
  from,
  hidden,
  selfHostname,
});

/** The deliveries with the last one found in front; of several to the same address, that one stays. */
function unique(deliveries: readonly Delivery[]): Delivery[] {
  const seen = new Set<string>();
  const kept: Delivery[] = [];
  for (const delivery of [...deliveries].reverse()) {
    const key = deliveryKey(delivery);
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(delivery);
  }
  return kept;
}
