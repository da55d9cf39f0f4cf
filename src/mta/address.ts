/** An address on its way through the routers: where it came from and what it carries along. */

import type { AddressFacts } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { dequoteLocalPart, splitAddress } from '../mail/address.ts';
import { Text } from '../safe/taint.ts';

/** What redirection and routers leave with an address for those it turns into. */
export interface Inherited {
  /** Where errors go, when not to the sender; empty for nowhere. */
  readonly errorsTo: string | undefined;
  /** Nobody is told of failures (`noerror` in a filter). */
  readonly ignoresErrors?: boolean | undefined;
  /** Header lines to be added, and names of those to be left out, for deliveries of it. */
  readonly headersAdd: readonly string[];
  readonly headersRemove: readonly string[];
  readonly addressData: Text | undefined;
  readonly routerVariables: ReadonlyMap<string, Text>;
}

const nothing: Inherited = {
  errorsTo: undefined,
  headersAdd: [],
  headersRemove: [],
  addressData: undefined,
  routerVariables: new Map(),
};

export interface RouteAddress {
  /** As it was written. */
  readonly address: string;
  /** Without quotes, with its own letters. */
  readonly localPart: string;
  /** In lower case. */
  readonly domain: string;
  readonly parent: RouteAddress | undefined;
  /** The router that made it from its parent. */
  readonly madeBy: string | undefined;
  readonly inherited: Inherited;
  /** The router where routing begins; 0 for the first. */
  readonly from: number;
  /** It becomes a recipient of the message when it has to wait (one_time). */
  readonly oneTime: boolean;
  /** A child whose existence senders are not told of (hide_child_in_errmsg). */
  readonly hidden: boolean;
  /** Place of the envelope's recipient that it all began with. */
  readonly recipient: number;
  /** Set by `self = pass`. */
  readonly selfHostname: string;
  /** The router with `unseen` that took it, while a copy of it went on. */
  readonly unseenBy: string | undefined;
}

/** An address of the envelope, or one that is only tested. */
export function originalAddress(address: string, recipient = 0, errorsTo?: string): RouteAddress {
  const { localPart, domain } = splitAddress(address);
  return {
    address,
    localPart: dequoteLocalPart(localPart),
    domain: lower(domain),
    parent: undefined,
    madeBy: undefined,
    inherited: errorsTo === undefined ? nothing : { ...nothing, errorsTo },
    from: 0,
    oneTime: false,
    hidden: false,
    recipient,
    selfHostname: '',
    unseenBy: undefined,
  };
}

/** An address that comes out of another. */
export function childAddress(
  parent: RouteAddress,
  address: string,
  more: Partial<
    Pick<RouteAddress, 'madeBy' | 'inherited' | 'from' | 'oneTime' | 'hidden' | 'selfHostname' | 'unseenBy'>
  >,
): RouteAddress {
  return {
    ...originalAddress(address, parent.recipient),
    parent,
    inherited: parent.inherited,
    ...more,
  };
}

/** The addresses it came from, nearest first. */
export function ancestorsOf(address: RouteAddress): RouteAddress[] {
  const found: RouteAddress[] = [];
  for (let parent = address.parent; parent !== undefined; parent = parent.parent) found.push(parent);
  return found;
}

/** The address of the envelope that it began with. */
export function topOf(address: RouteAddress): RouteAddress {
  return ancestorsOf(address).at(-1) ?? address;
}

/** What tells addresses apart: the local part as it is, the domain without regard to case. */
export function addressKey({ address }: RouteAddress): string {
  const { localPart, domain } = splitAddress(address);
  return `${localPart}@${lower(domain)}`;
}

/** The facts that expansions see while a router looks at the address. */
export function factsOf(address: RouteAddress): AddressFacts {
  const top = topOf(address);
  const { parent, inherited } = address;
  return {
    localPart: lower(address.localPart),
    domain: address.domain,
    localPartPrefix: Text.empty,
    localPartPrefixVariable: Text.empty,
    localPartSuffix: Text.empty,
    localPartSuffixVariable: Text.empty,
    domainData: undefined,
    localPartData: undefined,
    originalLocalPart: lower(top.localPart),
    originalDomain: top.domain,
    parentLocalPart: parent === undefined ? '' : lower(parent.localPart),
    parentDomain: parent?.domain ?? '',
    addressData: inherited.addressData,
    addressFile: undefined,
    addressPipe: undefined,
    routerVariables: new Map(inherited.routerVariables),
    routerName: '',
    selfHostname: address.selfHostname,
    home: undefined,
    localUserUid: undefined,
    localUserGid: undefined,
  };
}
