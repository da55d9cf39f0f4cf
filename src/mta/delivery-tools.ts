/** Makes what delivering needs, once per process. */

import { OfferHints } from '../hints/offer-hints.ts';
import { RetryHints } from '../hints/retry-hints.ts';
import { WaitHints } from '../hints/wait-hints.ts';
import { errorText } from '../lib/errno.ts';
import { nobody } from '../observe/decision.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { type DeliveryTools, ordinary } from './attempt.ts';
import { deliver } from './deliver.ts';
import { passOn } from './pass-on.ts';
import { Retry } from './retry.ts';
import { type Runtime, withQueue } from './runtime.ts';
import { LocalDeliveries } from './subprocess.ts';
import type { SelfCommand } from './user-process.ts';

export function makeDeliveryTools(
  runtime: Runtime,
  self: SelfCommand,
  { decisions = nobody, begun = () => undefined }: Partial<Pick<DeliveryTools, 'decisions' | 'begun'>> = {},
): DeliveryTools {
  const { config, places, user, logs } = runtime;
  const owner = process.geteuid?.() === 0 ? user : undefined;
  const complain = (error: unknown): void => logs.main(`trouble with the retry hints: ${errorText(error)}`);
  const complainOfWaiting = (error: unknown): void => logs.main(`trouble with the wait hints: ${errorText(error)}`);
  const complainOfOffers = (error: unknown): void => logs.main(`trouble with the misc hints: ${errorText(error)}`);
  const hints = new RetryHints(places.spoolDirectory, owner, complain);
  const { retry_interval_max: intervalMax, retry_data_expire: dataExpire } = config.main;
  const tools: DeliveryTools = {
    runtime,
    retry: new Retry({ rules: config.retryRules, hints, intervalMax, dataExpire }),
    waiting: new WaitHints(places.spoolDirectory, owner, complainOfWaiting),
    offers: new OfferHints(places.spoolDirectory, owner, complainOfOffers, dataExpire),
    processes: new LocalDeliveries(self),
    decisions,
    begun,
    deliverReport: (message: SpooledMessage) => deliver(message, ordinary, tools),
    passOn: (connection, options, queue) =>
      passOn(connection, options, { ...tools, runtime: withQueue(runtime, queue) }),
  };
  return tools;
}

/** Ends the processes that wait for more deliveries. */
export function closeDeliveryTools({ processes }: DeliveryTools): void {
  processes.close();
}
