/** What routers to remote hosts have in common: ignored addresses, this host in the list, and the `self` option. */

import type { Context } from '../expand/context.ts';
import { splitList } from '../lib/list-text.ts';
import { matchTemplate } from '../lists/option.ts';
import { isIp } from '../net/address.ts';
import type { RouterCommonOptions } from './common-options.ts';
import type { Host, Routed, RouterOutcome, RouterServices } from './router.ts';

/** A candidate with its addresses, before this host and ignored addresses are taken out. */
export interface Candidate {
  readonly name: string;
  readonly mx: number | undefined;
  readonly port: number | undefined;
  readonly addresses: readonly string[];
  readonly secure: boolean;
}

export interface Pruned {
  readonly hosts: readonly Host[];
  /** The first, or most preferred, host is this one. */
  readonly self: Candidate | undefined;
  /** This host was found further down, and what came behind it was dropped. */
  readonly foundSelf: boolean;
  /** All addresses there were are in `ignore_target_hosts`. */
  readonly allIgnored: boolean;
}

/** Takes out ignored addresses, and this host with all that is not preferred to it (Exim spec 17, 20.6). */
export async function prune(
  candidates: readonly Candidate[],
  common: RouterCommonOptions,
  context: Context,
  services: RouterServices,
): Promise<Pruned> {
  const hosts: Host[] = [];
  let ignored = 0;
  for (const candidate of candidates) {
    const { name, mx, port, secure } = candidate;
    const lowest = hosts.length === 0 || (mx !== undefined && mx === candidates[0]?.mx);
    const addresses: string[] = [];
    for (const address of candidate.addresses) {
      if (await isIgnored(address, common, context)) ignored++;
      else addresses.push(address);
    }
    const isSelf =
      addresses.some((address) => services.isLocal(address, port)) || (await services.treatedAsLocal(name, context));
    if (isSelf && (addresses.length > 0 || candidate.addresses.length === 0)) {
      if (lowest) return { hosts: [], self: candidate, foundSelf: true, allIgnored: false };
      const kept = mx === undefined ? hosts : hosts.filter((host) => host.mx === undefined || host.mx < mx);
      return { hosts: kept, self: undefined, foundSelf: true, allIgnored: false };
    }
    if (addresses.length === 0 && candidate.addresses.length > 0) continue;
    if (addresses.length === 0) hosts.push({ name, address: '', port, mx, secure });
    for (const address of addresses) {
      if (!hosts.some((host) => host.address === address && host.port === port)) {
        hosts.push({ name, address, port, mx, secure });
      }
    }
  }
  const usable = hosts.some((host) => host.address !== '');
  return { hosts, self: undefined, foundSelf: false, allIgnored: !usable && ignored > 0 };
}

async function isIgnored(address: string, common: RouterCommonOptions, context: Context): Promise<boolean> {
  if (common.ignore_target_hosts === undefined) return false;
  const delivery = { ...emptyDelivery, hostAddress: address };
  const answer = await matchTemplate(common.ignore_target_hosts, address, { ...context, delivery });
  return answer.outcome === 'match';
}

/** What expansions know of a delivery before there is one. */
export const emptyDelivery = {
  transportName: '',
  returnPath: '',
  host: '',
  hostAddress: '',
  hostPort: 0,
  inode: 0,
  pipeAddresses: [],
  firstDelivery: false,
  queueRunning: false,
};

/** What the `self` option says when the most preferred host is this one. */
export function selfOutcome(
  common: RouterCommonOptions,
  candidate: Candidate,
  { domain, address, purpose }: Routed,
  services: RouterServices,
): RouterOutcome | 'send' {
  const setting = common.self;
  const message =
    candidate.mx === undefined
      ? 'remote host address is the local host'
      : 'lowest numbered MX record points to local host';
  if (setting === 'send') return 'send';
  if (setting === 'pass') return { outcome: 'pass', selfHost: candidate.name, message };
  if (setting === 'fail') return { outcome: 'fail', message };
  const reroute = /^reroute:[ \t-\r]*(?:rewrite:[ \t-\r]*)?(.+)$/.exec(setting);
  if (reroute !== null) {
    return { outcome: 'reroute', domain: reroute[1] ?? '', rewriteHeaders: /^reroute:[ \t-\r]*rewrite:/.test(setting) };
  }
  if (setting !== 'defer')
    services.log(`${message}: ${domain}${purpose === 'deliver' ? '' : ` (while routing <${address}>)`}`);
  return { outcome: 'defer', message, freeze: setting !== 'defer' };
}

/** An item of a host list, `name`, `name::port`, `[address]:port`, `name/MX` (Exim spec 20.5). */
export interface HostItem {
  readonly name: string;
  readonly port: number | undefined;
  readonly byMx: boolean;
}

/** The items of a host list; `+` divides groups that are put in random order one by one. */
export function parseHostItems(text: string, randomize: boolean): HostItem[] {
  const groups: HostItem[][] = [[]];
  for (const item of splitList(text).items) {
    if (item === '') continue;
    if (item === '+') groups.push([]);
    else groups.at(-1)?.push(parseHostItem(item));
  }
  return groups.flatMap((group) => (randomize ? shuffled(group) : group));
}

function parseHostItem(item: string): HostItem {
  const bracketed = /^\[([^\]]+)\]:(\d+)$/.exec(item);
  let name = bracketed?.[1] ?? item;
  let port = bracketed?.[2];
  if (bracketed === null && !isIp(item)) {
    const found = /^(.*?):+(\d+)$/.exec(item);
    if (found !== null) [, name = '', port] = found;
  }
  const byMx = /\/mx$/i.test(name);
  return { name: byMx ? name.slice(0, -3) : name, port: port === undefined ? undefined : Number(port), byMx };
}

/** In random order. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
