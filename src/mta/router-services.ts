/** What routers ask of their surroundings: hosts by the DNS, this host's addresses, transports by name. */

import type { Context } from '../expand/context.ts';
import { regex } from '../lib/regex.ts';
import { matchTemplate } from '../lists/option.ts';
import { formatIp, isIp, parseIp } from '../net/address.ts';
import type { Resolver } from '../net/dns.ts';
import { hostAddresses, mailExchangers, serviceHosts, systemAddresses } from '../net/hosts.ts';
import type {
  HostLookup,
  HostLookupResult,
  MailHost,
  MailHosts,
  MailLookup,
  RouterServices,
} from '../routers/router.ts';
import type { Runtime } from './runtime.ts';

async function lookUpMail(
  resolver: Resolver,
  domain: string,
  options: MailLookup,
  allowMxToIp: boolean,
  isIpv4Only: (name: string) => Promise<boolean>,
  tell: (text: string) => void,
): Promise<MailHosts> {
  const { dnssec: demand } = options;
  const dnssec = demand !== 'no';
  const isInsecure = (answer: { readonly secure: boolean }): boolean => demand === 'require' && !answer.secure;
  const widening = { qualifySingle: options.qualifySingle, searchParents: options.searchParents };
  const familyOf = async (name: string): Promise<4 | undefined> =>
    options.ipv4Only || (await isIpv4Only(name)) ? 4 : undefined;
  const located = options.service === '' ? undefined : await serviceHosts(resolver, domain, { ...options, dnssec });
  if (located?.outcome === 'defer' && !options.srvFailureIsNothing) {
    return { outcome: 'again', message: located.message };
  }
  if (located?.outcome === 'found' && isInsecure(located)) {
    tell(`dnssec fail on SRV for ${domain}`);
    return { outcome: 'again', message: 'the answer is not signed' };
  }
  const found =
    located?.outcome === 'found' || located?.outcome === 'refuses'
      ? located
      : await mailExchangers(resolver, domain, { ...widening, dnssec });
  if (found.outcome === 'found' && isInsecure(found)) return { outcome: 'insecure' };
  if (found.outcome === 'refuses') return { outcome: 'refuses' };
  if (found.outcome === 'defer' && !options.mxFailureIsNothing) return { outcome: 'again', message: found.message };
  if (found.outcome !== 'found') {
    if (!options.addressRecord || (found.outcome === 'unknown' && !found.exists)) return { outcome: 'nothing' };
    const own = await hostAddresses(resolver, domain, { ...widening, family: await familyOf(domain), dnssec });
    if (own.outcome === 'defer') return { outcome: 'again', message: own.message };
    if (own.outcome !== 'found') return { outcome: 'nothing' };
    if (isInsecure(own)) return { outcome: 'insecure' };
    const host: MailHost = {
      name: own.canonicalName,
      port: undefined,
      mx: undefined,
      addresses: ordered(own.addresses, options.ipv4Prefer),
      again: false,
      secure: own.secure,
    };
    return { outcome: 'found', hosts: [host], domain: own.domain };
  }
  const hosts = await Promise.all(
    found.hosts.map(async ({ name, preference, port }): Promise<MailHost> => {
      const literal = allowMxToIp && isIp(name);
      const addresses = literal
        ? ({ outcome: 'found', addresses: [name], secure: false } as const)
        : await hostAddresses(resolver, name, { family: await familyOf(name), dnssec });
      const isFound = addresses.outcome === 'found';
      return {
        name,
        port,
        mx: preference,
        addresses: isFound ? ordered(addresses.addresses, options.ipv4Prefer) : [],
        again: addresses.outcome === 'defer',
        secure: isFound && addresses.secure,
      };
    }),
  );
  return { outcome: 'found', hosts, domain: found.domain };
}

function ordered(addresses: readonly string[], ipv4First: boolean): readonly string[] {
  if (!ipv4First) return addresses;
  return [
    ...addresses.filter((address) => !address.includes(':')),
    ...addresses.filter((address) => address.includes(':')),
  ];
}

/** `bydns`, `byname`, or the one and then the other (Exim spec 20.5). */
async function lookUpHost(
  resolver: Resolver,
  name: string,
  how: HostLookup,
  isIpv4Only: (name: string) => Promise<boolean>,
): Promise<HostLookupResult> {
  const octets = parseIp(name);
  if (octets !== undefined) return { outcome: 'found', name, addresses: [formatIp(octets)] };
  const family = how.ipv4Only || (await isIpv4Only(name)) ? (4 as const) : undefined;
  const { dnssec = 'no' } = how;
  const byDns =
    how.by === 'name' ? undefined : await hostAddresses(resolver, name, { family, dnssec: dnssec !== 'no' });
  if (byDns?.outcome === 'found' && dnssec === 'require' && !byDns.secure) return { outcome: 'insecure' };
  const found =
    byDns !== undefined && (how.by === 'dns' || byDns.outcome !== 'unknown')
      ? byDns
      : await systemAddresses(name, (await isIpv4Only(name)) ? 4 : undefined);
  if (found.outcome === 'found') {
    const addresses = ordered(found.addresses, how.ipv4Prefer);
    return found === byDns && byDns?.outcome === 'found'
      ? { outcome: 'found', name: byDns.canonicalName, addresses, secure: byDns.secure }
      : { outcome: 'found', name, addresses };
  }
  const unanswered = [found, byDns].find((answer) => answer?.outcome === 'defer');
  return unanswered?.outcome === 'defer' ? { outcome: 'again', message: unanswered.message } : { outcome: 'nothing' };
}

/** `id` is that of the message that is routed. */
export function routerServices(runtime: Runtime, id?: string): RouterServices {
  const { config, resolver, settings, logs, services } = runtime;
  const { main, transports } = config;
  // compiled when a name is looked for: most commands look for none
  const pattern = main.dns_check_names_pattern;
  const isIpv4Only =
    (context: Context) =>
    async (name: string): Promise<boolean> =>
      main.dns_ipv4_lookup !== undefined &&
      (await matchTemplate(main.dns_ipv4_lookup, name, context)).outcome === 'match';
  return {
    qualifyRecipient: settings.qualifyRecipient,
    allowDomainLiterals: main.allow_domain_literals,
    allowMxToIp: main.allow_mx_to_ip,
    percentHackDomains: main.percent_hack_domains,
    isDnsName: (name) => pattern === '' || regex(pattern).test(name),
    lookUpMail: (domain, options, context) =>
      lookUpMail(resolver, domain, options, main.allow_mx_to_ip, isIpv4Only(context), (text) => {
        if (logs.selects('host_lookup_failed')) logs.main(text, id);
      }),
    lookUpHost: (name, how, context) => lookUpHost(resolver, name, how, isIpv4Only(context)),
    isLocal: (address, port) => (port === undefined || port === 25) && services.localAddresses().includes(address),
    async treatedAsLocal(name: string, context: Context) {
      if (main.hosts_treat_as_local === undefined) return false;
      return (await matchTemplate(main.hosts_treat_as_local, name, context)).outcome === 'match';
    },
    transportExists: (name) => transports.has(name),
    transportIsLocal: (name) => transports.get(name)?.driver.isLocal ?? false,
    log: (text) => logs.main(text, id),
    panic: (text) => logs.panic(text, id),
  };
}
