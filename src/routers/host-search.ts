/** Finds the hosts of a list that a router was given, by manualroute and queryprogram (Exim spec 20.5 - 20.7, 21). */

import type { Context } from '../expand/context.ts';
import { isIp } from '../net/address.ts';
import type { RouterCommonOptions } from './common-options.ts';
import { dnssecDemand } from './dnssec.ts';
import { type Candidate, type HostItem, parseHostItems, prune, selfOutcome } from './hosts.ts';
import type { Host, HostLookup, Routed, RouterOutcome, RouterServices } from './router.ts';

export interface HostSearch {
  readonly randomize: boolean;
  readonly lookup: HostLookup;
  /** What `host_find_failed` and `host_all_ignored` ask for. */
  readonly whenNotFound: string;
  readonly whenAllIgnored: string;
}

type Found = { readonly candidates: readonly Candidate[] } | RouterOutcome;

/** What `host_find_failed` and `host_all_ignored` ask for. */
function whenMissing(setting: string, message: string): RouterOutcome {
  switch (setting) {
    case 'decline':
      return { outcome: 'decline' };
    case 'fail':
      return { outcome: 'fail', message };
    case 'pass':
      return { outcome: 'pass' };
    case 'defer':
      return { outcome: 'defer', message };
    default:
      return { outcome: 'defer', message, freeze: true };
  }
}

async function lookUpItem(
  item: HostItem,
  search: HostSearch,
  common: RouterCommonOptions,
  context: Context,
  services: RouterServices,
): Promise<Found> {
  const { name, port } = item;
  if (isIp(name)) return { candidates: [{ name, mx: undefined, port, addresses: [name], secure: false }] };
  const dnssec = await dnssecDemand(common, name, context);
  if (item.byMx) {
    const { ipv4Only, ipv4Prefer } = search.lookup;
    const none = { service: '', srvFailureIsNothing: false, mxFailureIsNothing: false };
    const how = { qualifySingle: false, searchParents: false, addressRecord: false, ...none };
    const found = await services.lookUpMail(name, { ...how, ipv4Only, ipv4Prefer, dnssec }, context);
    if (found.outcome === 'found' && found.hosts.some(({ addresses }) => addresses.length > 0)) {
      return { candidates: found.hosts.map((host) => ({ ...host, port })) };
    }
    if (found.outcome === 'again') return timeout(name);
    if (found.outcome === 'insecure') return insecure(name);
    if (found.outcome === 'refuses') return missing('', search, ': syntax error in name');
    return missing(found.outcome === 'found' ? (found.hosts[0]?.name ?? name) : name, search);
  }
  const found = await services.lookUpHost(name, { ...search.lookup, dnssec }, context);
  if (found.outcome === 'again') return timeout(name);
  if (found.outcome === 'insecure') return insecure(name);
  if (found.outcome === 'nothing') return missing(name, search);
  const { name: ownName = name, addresses, secure = false } = found;
  return { candidates: [{ name: ownName, mx: undefined, port, addresses, secure }] };
}

/** The number of a name server's silence in log lines. */
const noAnswer = -36;

function timeout(name: string): RouterOutcome {
  return {
    outcome: 'defer',
    message: `host lookup for ${name} did not complete (DNS timeout?)`,
    timeout: true,
    code: noAnswer,
  };
}

function insecure(name: string): RouterOutcome {
  return { outcome: 'defer', message: `host lookup for ${name} done insecurely` };
}

function missing(name: string, search: HostSearch, why = ''): Found {
  if (search.whenNotFound === 'ignore') return { candidates: [] };
  return whenMissing(search.whenNotFound, `lookup of host "${name}" failed in ROUTER router${why}`);
}

/** Puts the name of the router where it belongs. */
function named(outcome: RouterOutcome, router: string): RouterOutcome {
  return 'message' in outcome && outcome.message !== undefined
    ? { ...outcome, message: outcome.message.replace('ROUTER', router) }
    : outcome;
}

/** All hosts of the list with their addresses, or what becomes of an address that has none. */
export async function findHosts(
  hostList: string,
  search: HostSearch,
  common: RouterCommonOptions,
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<{ readonly hosts: readonly Host[] } | RouterOutcome> {
  const router = context.address?.routerName ?? '';
  const hosts: Host[] = [];
  let allIgnored = true;
  for (const [index, item] of parseHostItems(hostList, search.randomize).entries()) {
    const found = await lookUpItem(item, search, common, context, services);
    if ('outcome' in found) return named(found, router);
    // whatever port is named, an address of this host is this host
    const candidates = found.candidates.map((candidate) => ({ ...candidate, port: undefined }));
    const pruned = await prune(candidates, common, context, services);
    if (pruned.self !== undefined) {
      if (index > 0) break;
      const outcome = selfOutcome(common, pruned.self, routed, services);
      if (outcome !== 'send') return outcome;
      for (const { name, port, mx, addresses, secure } of found.candidates) {
        for (const address of addresses) hosts.push({ name, address, port, mx, secure });
      }
      allIgnored = false;
      continue;
    }
    if (pruned.allIgnored) {
      // a host that must not be used is as good as none
      const outcome = missing(item.name, search);
      if ('outcome' in outcome) return named(outcome, router);
      continue;
    }
    if (pruned.hosts.length > 0) allIgnored = false;
    hosts.push(...pruned.hosts.map((host) => ({ ...host, port: item.port })));
  }
  if (hosts.length === 0 && allIgnored) {
    return whenMissing(
      search.whenAllIgnored,
      `lookup failed for all hosts in ${router} router: host_find_failed=ignore host_all_ignored=${search.whenAllIgnored}`,
    );
  }
  return { hosts };
}
