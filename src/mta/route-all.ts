/**
 * Routes all recipients of a message: what they turn into, in Exim's order. Each round takes the addresses that the one
 * before left; of what one address turns into, the last comes first.
 */

import type { Context } from '../expand/context.ts';
import { addressKey, originalAddress, type RouteAddress } from './address.ts';
import { deliveryKey } from './delivery-log.ts';
import { type RewriteTools, rewriteAddress } from './rewrite.ts';
import { route } from './route.ts';
import type { Delivery, Failed, RefusedTarget, RouteRules } from './routing.ts';

export interface RoutedMessage {
  readonly local: readonly Delivery[];
  readonly remote: readonly Delivery[];
  /** Something was noted already: failures, addresses that wait, deliveries to nowhere. */
  readonly noted: boolean;
}

export interface RouteAllTools {
  readonly rules: Omit<RouteRules, 'purpose'>;
  /** For children of redirection. */
  readonly rewrite: RewriteTools;
  /** Deliveries that need no routing. */
  readonly given: readonly Delivery[];
  /** Something was noted already. */
  readonly isNoted: boolean;
  /** Addresses that are done already. */
  readonly done: ReadonlySet<string>;
  /** Told of each failure as it happens. */
  onFailed(failed: Failed): Promise<void>;
  onDeferred(failed: Failed): Promise<void>;
  /** Routing could tell what becomes of the address, be it good or bad. */
  onSettled(address: RouteAddress): void;
  /** Whether routing of this address must wait; it is noted already then. */
  mustWait(address: RouteAddress): Promise<boolean>;
  /** The same, asked when it is the address's turn. */
  mustQueue(address: RouteAddress): Promise<boolean>;
  /** A router found out what a domain is really called. */
  onRenamed(names: { readonly from: string; readonly to: string }): Promise<void>;
  onRefused(refused: RefusedTarget): Promise<void>;
  /** A delivery to /dev/null is done at once. */
  onNull(delivery: Delivery): Promise<void>;
  onDiscarded(address: RouteAddress, router: string, by: 'filter' | undefined): void;
  /** Others, or nothing, took the place of an address. */
  onRedirected(address: RouteAddress): void;
}

const maximumAddresses = 500_000;

export async function routeAll(
  recipients: readonly RouteAddress[],
  context: Context,
  tools: RouteAllTools,
): Promise<RoutedMessage> {
  const local: Delivery[] = [];
  const remote: Delivery[] = [];
  let noted = tools.isNoted;
  const targets = new Set<string>();
  let count = 0;
  let waiting: RouteAddress[] = [...recipients].reverse();
  const take = async (delivery: Delivery): Promise<void> => {
    const key = deliveryKey(delivery);
    if (tools.done.has(key)) return;
    if (delivery.target !== undefined) {
      // the same letter twice is two letters
      if (targets.has(key) && delivery.target.kind !== 'reply') return;
      targets.add(key);
      if (delivery.target.text === '/dev/null') {
        noted = true;
        await tools.onNull(delivery);
        return;
      }
    }
    (delivery.transport.driver.isLocal ? local : remote).push(delivery);
  };
  for (const delivery of [...tools.given].reverse()) await take(delivery);
  while (waiting.length > 0) {
    const held = new Set<RouteAddress>();
    for (const address of [...waiting].reverse()) if (await tools.mustWait(address)) held.add(address);
    const next: RouteAddress[] = [];
    const targetsFound: Delivery[] = [];
    for (const address of waiting) {
      const children: RouteAddress[] = [];
      const found: Delivery[] = [];
      const refused: RefusedTarget[] = [];
      if (++count > maximumAddresses) throw new Error('the message turns into too many addresses');
      if (address.parent !== undefined && tools.done.has(addressKey(address))) continue;
      if (held.has(address) || (await tools.mustQueue(address))) {
        noted = true;
        continue;
      }
      context.results.numeric = [];
      const routing = await route(address, context, { ...tools.rules, purpose: 'deliver' });
      if (routing.outcome !== 'deferred') tools.onSettled(address);
      switch (routing.outcome) {
        case 'delivered to':
          await take(routing.delivery);
          if (routing.copy !== undefined) children.push(routing.copy);
          break;
        case 'replaced':
          if (routing.renamed === undefined) tools.onRedirected(address);
          else await tools.onRenamed(routing.renamed);
          for (const child of routing.children) {
            children.push(routing.rewrite ? await rewritten(child, tools.rewrite, context) : child);
          }
          found.push(...routing.deliveries);
          refused.push(...routing.refused);
          // an address that passed a filter is routed last, as in Exim
          if (routing.copy?.parent === address) children.push(routing.copy);
          else if (routing.copy !== undefined) children.unshift(routing.copy);
          break;
        case 'discarded':
          tools.onDiscarded(address, routing.router.name, routing.by);
          tools.onRedirected(address);
          break;
        case 'failed':
        case 'deferred':
          noted = true;
          if (routing.outcome === 'failed') await tools.onFailed(routing);
          else await tools.onDeferred(routing);
          children.push(...routing.children);
          found.push(...routing.deliveries);
          refused.push(...routing.refused);
      }
      if (refused.length > 0) noted = true;
      for (const each of refused) await tools.onRefused(each);
      next.push(...children.reverse());
      targetsFound.push(...found.reverse());
    }
    for (const delivery of targetsFound.reverse()) await take(delivery);
    waiting = next;
  }
  return { local: unique(local), remote: unique(remote), noted };
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
    if (seen.has(key) && delivery.target?.kind !== 'reply') continue;
    seen.add(key);
    kept.push(delivery);
  }
  return kept;
}
