/** `local%other.example@gateway.example`, as the domains of percent_hack_domains understand it (Exim spec 14). */

import type { Context } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { type ListSetting, matchTemplate } from '../lists/option.ts';
import { childAddress, type RouteAddress } from './address.ts';

/** The address that is meant, a child of the one that is written; or why nobody knows. */
export async function withoutPercent(
  address: RouteAddress,
  domains: ListSetting | undefined,
  context: Context,
): Promise<RouteAddress | { readonly defer: string }> {
  if (domains === undefined) return address;
  let { localPart, domain } = address;
  for (let at = localPart.lastIndexOf('%'); at >= 0; at = localPart.lastIndexOf('%')) {
    const answer = await matchTemplate(domains, lower(domain), context);
    if (answer.outcome === 'defer') return { defer: answer.message };
    if (answer.outcome !== 'match') break;
    [localPart, domain] = [localPart.slice(0, at), localPart.slice(at + 1)];
  }
  if (localPart === address.localPart) return address;
  return childAddress(address, `${localPart}@${domain}`, {});
}
