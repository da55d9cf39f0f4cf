/** The dnslookup router finds hosts by MX and address records (Exim spec 17). */

import { laxBoolean } from '../expand/conditions/logic.ts';
import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { matchTemplate } from '../lists/option.ts';
import type { ListOption } from '../options/kinds.ts';
import type { OptionsOf } from '../options/table.ts';
import type { RouterCommonOptions } from './common-options.ts';
import { dnslookupOptions } from './dnslookup-options.ts';
import { dnssecDemand } from './dnssec.ts';
import { type Candidate, prune, selfOutcome } from './hosts.ts';
import {
  defineRouter,
  type Host,
  type MailHosts,
  type Routed,
  type RouterOutcome,
  type RouterServices,
} from './router.ts';

type Options = OptionsOf<typeof dnslookupOptions>;

/** `fail_defer_domains` */
const deferRequested = 'missing MX, or all MXs point to missing A records, and defer requested';
const incomplete: RouterOutcome = { outcome: 'defer', message: 'host lookup did not complete', timeout: true };

async function isIn(list: ListOption | undefined, domain: string, context: Context): Promise<boolean> {
  return list !== undefined && (await matchTemplate(list, domain, context)).outcome === 'match';
}

async function isSet(template: Template | undefined, context: Context): Promise<boolean> {
  if (template === undefined) return false;
  const expansion = await template.expand(context);
  return expansion.ok && laxBoolean(expansion.text.value);
}

/** Looks the domain up as it is, then with each of `widen_domains` behind it. */
async function lookUp(
  options: Options,
  common: RouterCommonOptions,
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<MailHosts> {
  const widened =
    routed.purpose === 'verify sender' && options.rewrite_headers ? [] : (options.widen_domains?.items ?? []);
  const service = await options.check_srv?.expand(context);
  if (service?.ok === false && service.kind !== 'forced') {
    const what = `failed to expand "${options.check_srv?.source}": ${service.message}`;
    return { outcome: 'again', message: `${context.address?.routerName ?? ''} router: ${what}`, isOurs: true };
  }
  let answer: MailHosts = { outcome: 'nothing' };
  for (const suffix of ['', ...widened.map((domain) => `.${domain}`)]) {
    const domain = `${routed.domain}${suffix}`;
    answer = await services.lookUpMail(
      domain,
      {
        qualifySingle: options.qualify_single && suffix === '',
        searchParents: options.search_parents,
        addressRecord: !(await isIn(options.mx_domains, domain, context)),
        service: service?.ok === true ? service.text.value : '',
        srvFailureIsNothing: await isIn(options.srv_fail_domains, domain, context),
        mxFailureIsNothing: await isIn(options.mx_fail_domains, domain, context),
        ipv4Only: await isSet(options.ipv4_only, context),
        ipv4Prefer: await isSet(options.ipv4_prefer, context),
        dnssec: await dnssecDemand(common, domain, context),
      },
      context,
    );
    if (answer.outcome !== 'nothing') break;
  }
  return answer;
}

async function accept(
  found: MailHosts & { readonly outcome: 'found' },
  options: Options,
  common: RouterCommonOptions,
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<RouterOutcome> {
  const candidates: readonly Candidate[] = found.hosts;
  if (candidates.every(({ addresses }) => addresses.length === 0)) return whenNoAddresses(found, services);
  const pruned = await prune(candidates, common, context, services);
  let { hosts } = pruned;
  if (pruned.self !== undefined) {
    const outcome = selfOutcome(common, pruned.self, routed, services);
    if (outcome !== 'send') return outcome;
    hosts = everyHost(candidates);
  } else if (options.check_secondary_mx && !pruned.foundSelf) {
    return { outcome: 'decline' };
  }
  if (pruned.allIgnored || hosts.length === 0) {
    return candidates[0]?.mx === undefined ? { outcome: 'decline' } : { outcome: 'decline', message: noHosts };
  }
  if (!hosts.some(({ address }) => address !== '')) return incomplete;
  return { outcome: 'accept', hosts };
}

function everyHost(candidates: readonly Candidate[]): Host[] {
  return candidates.flatMap(({ name, mx, addresses, secure }) =>
    addresses.map((address) => ({ name, address, port: undefined, mx, secure })),
  );
}

const noHosts = 'all relevant MX records point to non-existent hosts';

/** None of the hosts has an address: some could not be asked for, or none is there at all. */
function whenNoAddresses(found: MailHosts & { readonly outcome: 'found' }, services: RouterServices): RouterOutcome {
  if (found.hosts.some(({ again }) => again)) return incomplete;
  const toAddress = !services.allowMxToIp && found.hosts.some(({ name }) => /^\d+\.\d+\.\d+\.\d+$/.test(name));
  const message = `${noHosts}${toAddress ? ' or (invalidly) to IP addresses' : ''}`;
  return { outcome: 'decline', message };
}

export const dnslookup = defineRouter({
  name: 'dnslookup',
  summary: "finds the domain's hosts in the DNS",
  options: dnslookupOptions,
  transport: 'required',
  make: (options, common) => async (routed, context, services) => {
    if (!/^[^ \t-\r[\]]+$/.test(routed.domain) || !services.isDnsName(routed.domain)) {
      return { outcome: 'decline', message: `mail domain "${routed.domain}" is syntactically invalid` };
    }
    const found = await lookUp(options, common, routed, context, services);
    switch (found.outcome) {
      case 'again':
        return found.isOurs ? { outcome: 'defer', message: found.message } : incomplete;
      case 'insecure':
        return { outcome: 'defer', message: 'host lookup done insecurely' };
      case 'refuses':
        return { outcome: 'decline', message: 'an MX or SRV record indicated no SMTP service' };
      case 'nothing':
        return (await isIn(options.fail_defer_domains, routed.domain, context))
          ? { outcome: 'defer', message: deferRequested }
          : { outcome: 'decline' };
      case 'found':
        if (found.domain !== routed.domain) {
          return { outcome: 'reroute', domain: found.domain, rewriteHeaders: options.rewrite_headers };
        }
        return accept(found, options, common, routed, context, services);
    }
  },
});
