/** The hosts of the smtp transport's own lists, and their addresses (Exim spec 30.4: hosts, fallback_hosts). */

import { matchTemplate } from '../lists/option.ts';
import { isIp } from '../net/address.ts';
import { parseHostItems } from '../routers/hosts.ts';
import type { Host } from '../routers/router.ts';
import { clean } from '../safe/taint.ts';
import type { AddressLookup } from './remote-services.ts';
import { contextOf, type SmtpRun, type SmtpSetup, Unusable } from './smtp-run.ts';
import { errorCodes } from './transport.ts';

/** Hosts, and whether the transport has to see to it that none of them is this one: routers have done that for theirs. */
export interface HostList {
  readonly hosts: readonly Host[];
  readonly isOwn: boolean;
}

/** The hosts of a list; names are looked up when it is their turn. The manual offers no `/MX` here. */
function hostsIn(list: string, randomize: boolean): Host[] {
  return parseHostItems(list, randomize).map(({ name, port, byMx }) => ({
    name: byMx ? `${name}/MX` : name,
    address: isIp(name) ? name : '',
    port,
    mx: undefined,
    secure: false,
  }));
}

/** The hosts that the message goes to: those of the router, unless there are none or the transport overrides them. */
export async function hostsOf({ options, request }: Pick<SmtpSetup, 'options' | 'request'>): Promise<HostList> {
  const { transport, context } = request;
  const template = options.hosts;
  if (request.hosts.length > 0 && !(options.hosts_override && template !== undefined)) {
    return { hosts: request.hosts, isOwn: false };
  }
  if (template === undefined) {
    throw new Unusable(errorCodes.unknown, `${transport} transport called with no hosts set`, true);
  }
  const expansion = await template.expand(context);
  if (!expansion.ok) {
    const what = `failed to expand list of hosts "${template.source}" in ${transport} transport`;
    throw new Unusable(errorCodes.unknown, `${what}: ${expansion.message}`, expansion.kind !== 'defer');
  }
  const list = clean(expansion.text);
  if (list === undefined) {
    const what = `attempt to use tainted host list '${expansion.text.value}' from '${template.source}'`;
    throw new Unusable(errorCodes.unknown, `${what} in transport ${transport}`, true);
  }
  const hosts = hostsIn(list, options.hosts_randomize);
  if (hosts.length === 0)
    throw new Unusable(errorCodes.unknown, `${transport} transport has empty hosts setting`, true);
  return { hosts, isOwn: true };
}

/** The hosts for addresses that none of the others took. */
export function fallbackHostsOf({ options, request }: SmtpRun): HostList {
  const { fallbackHosts } = request;
  if (fallbackHosts !== undefined) return { hosts: fallbackHosts, isOwn: true };
  return { hosts: hostsIn(options.fallback_hosts?.source ?? '', options.hosts_randomize), isOwn: true };
}

/** The host once for each of its addresses; none when it has none, or when that cannot be told now. */
export async function withAddresses(run: SmtpSetup, host: Host): Promise<Host[]> {
  const { options, services, request } = run;
  const found = await services.addressesOf(host.name, await lookupOf(run, host), request.context);
  if (found.outcome !== 'found') {
    if (options.gethostbyname) services.log(`no IP address found for host ${host.name}`);
    return [];
  }
  return found.addresses.map((address) => ({ ...host, address }));
}

async function lookupOf(run: SmtpSetup, host: Host): Promise<AddressLookup> {
  const { options } = run;
  const context = contextOf(run, host);
  const matches = async (name: 'dnssec_request_domains' | 'dnssec_require_domains'): Promise<boolean> => {
    const list = options[name];
    return list !== undefined && (await matchTemplate(list, host.name, context)).outcome === 'match';
  };
  const wanted = (await matches('dnssec_request_domains')) ? 'request' : 'no';
  return {
    by: options.gethostbyname ? 'name' : 'dns',
    qualifySingle: options.dns_qualify_single,
    searchParents: options.dns_search_parents,
    dnssec: (await matches('dnssec_require_domains')) ? 'require' : wanted,
  };
}
