/** What routing an address can come to. */

import type { AddressFacts, Context } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { addressConditions } from '../routers/common-options.ts';
import type { Child, Host, Refusal, RouterInstance, RouterServices, RoutingPurpose } from '../routers/router.ts';
import type { Group, User } from '../safe/users.ts';
import type { TransportInstance } from '../transports/transport.ts';
import type { Inherited, RouteAddress } from './address.ts';

/** An address that a router has given to a transport. */
export interface Delivery {
  readonly address: RouteAddress;
  readonly router: RouterInstance;
  readonly transport: TransportInstance;
  /** Where a local delivery goes, when redirection named it. */
  readonly target: Child | undefined;
  /** What logs call the target, when the transport made another of it. */
  readonly place?: string | undefined;
  readonly hosts: readonly Host[];
  readonly inherited: Inherited;
  /** What the transport's expansions see of the address. */
  readonly facts: AddressFacts;
  /** Set on the router; a transport's own settings come first. */
  readonly user: User | undefined;
  readonly group: Group | undefined;
  /** The local user that `check_local_user` found. */
  readonly localUser: User | undefined;
}

export type Routing =
  | { readonly outcome: 'delivered to'; readonly delivery: Delivery; readonly copy: RouteAddress | undefined }
  /** Replaced by other addresses; files and pipes among them are deliveries already. */
  | {
      readonly outcome: 'replaced';
      readonly children: readonly RouteAddress[];
      readonly deliveries: readonly Delivery[];
      /** Files and commands that nothing is delivered to. */
      readonly refused: readonly RefusedTarget[];
      readonly copy: RouteAddress | undefined;
      readonly router: RouterInstance;
      /** Whether rewriting is done on the children. */
      readonly rewrite: boolean;
      /** A domain was found to have another name, and header lines are to have that, too. */
      readonly renamed?: { readonly from: string; readonly to: string } | undefined;
    }
  /** `hosts`: a router that only verifies found them, and has no transport to them. */
  | {
      readonly outcome: 'discarded';
      readonly router: RouterInstance;
      readonly hosts?: readonly Host[] | undefined;
      readonly facts?: AddressFacts | undefined;
      readonly by?: 'filter' | undefined;
    }
  | ({ readonly outcome: 'failed' | 'deferred' } & Failed);

/** A file or command that redirection named, and why nothing is delivered to it. */
export interface RefusedTarget extends Refusal {
  readonly address: RouteAddress;
  readonly target: Child;
  readonly router: RouterInstance;
}

export interface Failed {
  readonly address: RouteAddress;
  /** As the last router saw it, for log lines. */
  readonly shown: string;
  /** For the log. */
  readonly message: string;
  /** For the sender; nothing when the other is for him, too. */
  readonly publicMessage?: string | undefined;
  readonly router: RouterInstance | undefined;
  /** Addresses that come out of it nevertheless. */
  readonly children: readonly RouteAddress[];
  readonly deliveries: readonly Delivery[];
  readonly refused: readonly RefusedTarget[];
  /** Exim's number for what is wrong. */
  readonly code: number;
  readonly freeze: boolean;
  /** Whether the message may begin with an SMTP code. */
  readonly smtpCode: boolean;
  /** For retry: whether the whole address and not only its domain failed. */
  readonly useLocalPart: boolean;
  /** An errors_to or a list of header lines could not be had: no delivery, but no fault of the address. */
  readonly inherited?: Inherited | undefined;
  /** It was not looked at, but has to wait. */
  readonly wait?: 'retry' | 'hold' | 'queue' | undefined;
}

export interface RouteRules {
  readonly routers: readonly RouterInstance[];
  readonly transports: ReadonlyMap<string, TransportInstance>;
  readonly services: RouterServices;
  readonly purpose: RoutingPurpose;
  /** Writes the `debug_print` of routers. */
  readonly debugPrint: ((text: string) => void) | undefined;
  /** Checks an address that errors are to go to; one that does not verify is not used (Exim spec 15, errors_to). */
  readonly verifyErrorsTo: ((address: string) => Promise<boolean>) | undefined;
}

/** What one router does to the way of an address. */
export type Step =
  /** `message` is told when no other router takes the address. */
  | { readonly outcome: 'next'; readonly reason: string; readonly message?: string | undefined }
  | {
      readonly outcome: 'jump';
      readonly to: string | undefined;
      readonly selfHost: string | undefined;
      readonly message?: string | undefined;
    }
  | { readonly outcome: 'done'; readonly routing: Routing };

export const unrouteable = 'Unrouteable address';
export function failure(
  outcome: 'failed' | 'deferred',
  address: RouteAddress,
  router: RouterInstance | undefined,
  message: string,
  more: Partial<Failed> = {},
): Routing & { readonly outcome: 'failed' | 'deferred' } {
  return {
    outcome,
    address,
    shown: routedName(address),
    message,
    router,
    children: [],
    deliveries: [],
    refused: [],
    code: outcome === 'failed' ? 0 : -1,
    freeze: false,
    smtpCode: false,
    useLocalPart: usesLocalPart(router),
    ...more,
  };
}

/** An address as routers see it: without quotes, in lower case. */
export function routedName({ localPart, domain }: Pick<RouteAddress, 'localPart' | 'domain'>): string {
  return `${lower(localPart)}@${domain}`;
}

/** Whether retry times of routing are for the whole address (Exim spec 15, retry_use_local_part). */
function usesLocalPart(router: RouterInstance | undefined): boolean {
  if (router === undefined) return true;
  const { common, set } = router;
  if (set.has('retry_use_local_part')) return common.retry_use_local_part;
  return common.check_local_user || addressConditions.some((name) => set.has(name));
}

/** No router took the address: the text comes from the last that looked at it, or from one that declined. */
export async function unrouted(
  address: RouteAddress,
  last: RouterInstance | undefined,
  context: Context,
  why: string | undefined,
): Promise<Routing> {
  const template = last?.common.cannot_route_message;
  let message = why ?? unrouteable;
  if (template !== undefined && why === undefined) {
    const expansion = await template.expand(context);
    if (expansion.ok && expansion.text.value !== '') message = expansion.text.value;
  }
  return failure('failed', address, undefined, message, {
    shown: last?.common.caseful_local_part ? address.address : routedName(address),
    smtpCode: template !== undefined,
  });
}
