/**
 * Verifies an address by routing it (Exim spec 44.45, 44.51): the answer for ACLs and for `-bv`. A single child takes
 * its parent's place; when an address turns into several, or into files or commands, it counts as good. Who wants more
 * than a route, such as a callout, is handed the address as it was routed in the end.
 */

import type { AddressFacts, Context } from '../expand/context.ts';
import { newAclFacts } from '../expand/facts.ts';
import type { Host, RoutingPurpose } from '../routers/router.ts';
import { originalAddress, type RouteAddress } from './address.ts';
import { route } from './route.ts';
import type { Delivery, RouteRules, Routing } from './routing.ts';

export type Verification =
  | {
      readonly outcome: 'ok';
      readonly data: VerifiedData | undefined;
      /** Where the address goes in the end; nothing when it turned into several, or into nothing. */
      readonly route?: VerifiedRoute | undefined;
    }
  | {
      readonly outcome: 'fail' | 'defer';
      /** For logs. */
      readonly message: string;
      /** For the other side; a text that is there may be empty. */
      readonly publicMessage: string | undefined;
      readonly smtpCode: boolean;
    };

/** What the router that took the address found out, for `$address_data` and its like in the ACL. */
export type VerifiedData = Pick<AddressFacts, 'addressData' | 'routerVariables'>;

export interface VerifiedRoute {
  readonly address: RouteAddress;
  /** A router that only verifies may have no transport, but hosts. */
  readonly delivery: Delivery | undefined;
  readonly hosts: readonly Host[];
  /** Nothing else becomes of the address: no router took a copy of it (`unseen`). */
  readonly isWhole: boolean;
}

function dataOf(routing: Routing): VerifiedData | undefined {
  const facts =
    routing.outcome === 'delivered to'
      ? routing.delivery.facts
      : routing.outcome === 'discarded'
        ? routing.facts
        : undefined;
  return facts && { addressData: facts.addressData, routerVariables: facts.routerVariables };
}

function routeOf(address: RouteAddress, routing: Routing, isWhole: boolean): VerifiedRoute | undefined {
  if (routing.outcome === 'delivered to') {
    const { delivery } = routing;
    return { address, delivery, hosts: delivery.hosts, isWhole };
  }
  return routing.outcome === 'discarded' && routing.hosts !== undefined
    ? { address, delivery: undefined, hosts: routing.hosts, isWhole }
    : undefined;
}

/** Lets routers and transports see what is verified (`$verify_mode`) while `work` goes on. */
export async function inVerifyMode<T>(context: Context, purpose: RoutingPurpose, work: () => Promise<T>): Promise<T> {
  const { acl: earlier } = context;
  context.acl = earlier ?? newAclFacts();
  const facts = context.acl;
  const { verifyMode } = facts;
  facts.verifyMode = purpose === 'verify sender' ? 'S' : 'R';
  try {
    return await work();
  } finally {
    facts.verifyMode = verifyMode;
    context.acl = earlier;
  }
}

/** Where the search for an answer must end, whatever redirection does. */
const maximumSteps = 100;

/** `success_on_redirect`: an address that is replaced counts as good. */
export function verifyAddress(
  address: string,
  purpose: RoutingPurpose,
  context: Context,
  rules: Omit<RouteRules, 'purpose'>,
  options: { readonly successOnRedirect?: boolean } = {},
): Promise<Verification> {
  return inVerifyMode(context, purpose, () => routeOn(address, purpose, context, rules, options));
}

async function routeOn(
  address: string,
  purpose: RoutingPurpose,
  context: Context,
  rules: Omit<RouteRules, 'purpose'>,
  options: { readonly successOnRedirect?: boolean },
): Promise<Verification> {
  let current: RouteAddress = originalAddress(address);
  let isWhole = true;
  for (let step = 0; step < maximumSteps; step++) {
    const routing = await route(current, context, { ...rules, purpose });
    if (routing.outcome === 'failed' || routing.outcome === 'deferred') {
      const failed = routing.outcome === 'failed';
      // why it cannot be told now may name files and hosts: that is for the log
      const { message, publicMessage = failed ? message : undefined, smtpCode } = routing;
      return { outcome: failed ? 'fail' : 'defer', message, publicMessage, smtpCode };
    }
    if (routing.outcome === 'delivered to' && routing.copy !== undefined) {
      // `unseen`: the routers behind must take the address, too
      current = routing.copy;
      isWhole = false;
      continue;
    }
    if (routing.outcome !== 'replaced') {
      return { outcome: 'ok', data: dataOf(routing), route: routeOf(current, routing, isWhole) };
    }
    if (options.successOnRedirect) return { outcome: 'ok', data: dataOf(routing) };
    const [only, second] = routing.children;
    if (only === undefined || second !== undefined || routing.deliveries.length > 0) {
      return { outcome: 'ok', data: dataOf(routing) };
    }
    current = only;
  }
  const message = 'the address turns into others without end';
  return { outcome: 'defer', message, publicMessage: undefined, smtpCode: false };
}
