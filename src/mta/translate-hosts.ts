/** The option translate_ip_address: other addresses for those that a router found (Exim spec 15). */

import type { Context } from '../expand/context.ts';
import { parseIp } from '../net/address.ts';
import { emptyDelivery } from '../routers/hosts.ts';
import type { Host, RouterInstance, RouterServices } from '../routers/router.ts';

/** The hosts with their translated addresses; a name that comes out is looked up, and may have several. */
export async function translatedHosts(
  hosts: readonly Host[],
  { name, common }: RouterInstance,
  context: Context,
  services: RouterServices,
): Promise<readonly Host[] | { readonly defer: string }> {
  const template = common.translate_ip_address;
  if (template === undefined) return hosts;
  const translated: Host[] = [];
  for (const host of hosts) {
    if (host.address === '') {
      translated.push(host);
      continue;
    }
    const delivery = { ...emptyDelivery, host: host.name, hostAddress: host.address };
    const expansion = await template.expand({ ...context, delivery });
    if (!expansion.ok) {
      if (expansion.kind !== 'forced') {
        return { defer: `failed to expand translate_ip_address in ${name} router: ${expansion.message}` };
      }
      translated.push(host);
      continue;
    }
    const text = expansion.text.value;
    if (parseIp(text) !== undefined) {
      translated.push({ ...host, address: text });
      continue;
    }
    const found = await services.lookUpHost(text, { by: 'name', ipv4Only: false, ipv4Prefer: false }, context);
    if (found.outcome !== 'found') return { defer: `translate_ip_address in ${name} router: host ${text} not found` };
    for (const address of found.addresses) translated.push({ ...host, name: text, address });
  }
  return translated;
}
