/** Whether answers of the DNS are to be signed (Exim spec 15.3, dnssec_request_domains, dnssec_require_domains). */

import type { Context } from '../expand/context.ts';
import { matchTemplate } from '../lists/option.ts';
import type { RouterCommonOptions } from './common-options.ts';
import type { DnssecDemand } from './router.ts';

/** What a router asks for when it looks for this name. */
export async function dnssecDemand(
  { dnssec_request_domains: requested, dnssec_require_domains: required }: RouterCommonOptions,
  name: string,
  context: Context,
): Promise<DnssecDemand> {
  const isIn = async (list: typeof requested): Promise<boolean> =>
    list !== undefined && (await matchTemplate(list, name, context)).outcome === 'match';
  if (await isIn(required)) return 'require';
  return (await isIn(requested)) ? 'request' : 'no';
}
