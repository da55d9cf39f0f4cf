/** What commands deliver with: decisions are shown as `-d` asks, and with `-v` the id of each message. */

import type { DeliveryTools } from '../mta/attempt.ts';
import { makeDeliveryTools } from '../mta/delivery-tools.ts';
import type { Call } from './call.ts';

export function deliveryTools({ runtime, self, decisions, invocation, terminal }: Call): DeliveryTools {
  const what = runtime.config.dialect === 3 ? 'message ' : '';
  const begun = (id: string): void => {
    if (invocation.verbose) terminal.error(`delivering ${what}${id}\n`);
  };
  return makeDeliveryTools(runtime, self, { decisions, begun });
}
