/** The names of a host that is known by its address: for host lists, `host_lookup` and `verify = reverse_host_lookup`. */

import { lookupService } from 'node:dns/promises';
import { errorCode } from '../lib/errno.ts';
import { lower } from '../lib/octets.ts';
import { formatIp, type IpOctets, parseIp, reverseName } from './address.ts';
import type { Resolver } from './dns.ts';
import { hostAddresses, type NoHost } from './hosts.ts';

/** Exim spec 14, host_lookup_order. */
export type NameLookup = 'bydns' | 'byaddr';

export interface NameOptions {
  /** Where the name is looked for, until there is one: first `bydns`, then `byaddr`. */
  readonly order?: readonly NameLookup[];
  readonly signal?: AbortSignal | undefined;
}

/** The owner of the address, who writes these records, must not make us look up thousands of names. */
const maxNames = 40;

const noName = { outcome: 'unknown', message: '' } as const;

type Claim = { readonly outcome: 'found'; readonly names: readonly string[] } | NoHost;
type Find = (resolver: Resolver, address: string, octets: IpOctets, signal: AbortSignal | undefined) => Promise<Claim>;

/** The names that an address claims to have. */
const claims: { readonly [L in NameLookup]: Find } = {
  async bydns(resolver, _address, octets, signal) {
    const answer = await resolver.resolve(reverseName(octets), 'PTR', { signal });
    if (answer.outcome === 'again') return { outcome: 'defer', message: answer.message };
    if (answer.outcome === 'nothing') return noName;
    const names = new Set(answer.records.filter((name) => name !== '').map((name) => lower(name)));
    return names.size > 0 ? { outcome: 'found', names: [...names] } : noName;
  },
  /** The system tells but one name, without aliases (as the manual warns). */
  async byaddr(_resolver, address) {
    try {
      const { hostname } = await lookupService(address, 0);
      return { outcome: 'found', names: [lower(hostname)] };
    } catch (error) {
      if (errorCode(error) !== 'EAI_AGAIN') return noName;
      return { outcome: 'defer', message: `host name lookup for ${address} did not complete` };
    }
  },
};

/**
 * The names of the host with this address, in lower case (Exim spec 10.14). Only those count whose own addresses, by the
 * DNS, are this one; that holds for a name from /etc/hosts, too. One name that cannot be checked defers the whole, since
 * a list that would match it must not say no.
 */
export async function hostNames(
  resolver: Resolver,
  address: string,
  { order = ['bydns', 'byaddr'], signal }: NameOptions = {},
): Promise<{ readonly outcome: 'found'; readonly names: readonly string[] } | NoHost> {
  const none = { outcome: 'unknown', message: `no host name found for IP address ${address}` } as const;
  const octets = parseIp(address);
  if (octets === undefined) return none;
  let claim: Claim = noName;
  for (const how of order)
    if (claim.outcome === 'unknown') claim = await claims[how](resolver, address, octets, signal);
  if (claim.outcome !== 'found') return claim.outcome === 'defer' ? claim : none;
  const wanted = formatIp(octets);
  const names: string[] = [];
  for (const name of claim.names.slice(0, maxNames)) {
    const found = await hostAddresses(resolver, name, { family: octets.length === 4 ? 4 : 6, signal });
    if (found.outcome === 'defer') return found;
    if (found.outcome === 'found' && found.addresses.includes(wanted)) names.push(name);
  }
  if (names.length > 0) return { outcome: 'found', names };
  return { outcome: 'unknown', message: `${address} does not match any IP address for ${claim.names[0] ?? ''}` };
}
