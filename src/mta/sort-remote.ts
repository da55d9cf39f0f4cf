/** The order of deliveries to other hosts (Exim spec 14, remote_sort_domains): by the place of their domain in a list. */

import type { Config } from '../config/config.ts';
import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import { splitList } from '../lib/list-text.ts';
import { matchTemplate } from '../lists/option.ts';
import type { Delivery } from './routing.ts';

/** Deliveries whose domains are in the list come first, in its order; all others keep theirs. */
export async function sortRemote(
  deliveries: readonly Delivery[],
  { remote_sort_domains: list }: Config['main'],
  context: Context,
): Promise<readonly Delivery[]> {
  if (list === undefined || deliveries.length < 2) return deliveries;
  const sorted: Delivery[] = [];
  let rest = deliveries;
  for (const item of splitList(list.template.source).items) {
    const pattern = { ...list, template: compileTemplate(item.replaceAll(':', '::')) };
    const left: Delivery[] = [];
    for (const delivery of rest) {
      const answer = await matchTemplate(pattern, delivery.facts.domain, context);
      (answer.outcome === 'match' ? sorted : left).push(delivery);
    }
    rest = left;
  }
  return [...sorted, ...rest];
}
