/**
 * The server as a mail program's hand (Exim spec 52, mua_wrapper): one attempt to pass a message on to the smart host,
 * for all recipients in one transaction; whatever goes wrong is told to the caller, and nothing stays on the queue.
 */

import { errorText } from '../lib/errno.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { Attempt, type DeliveryTools, ordinary } from './attempt.ts';
import { deliverGroups } from './deliver-remote.ts';
import { withErrorText } from './delivery-log.ts';
import { remoteGroups } from './group.ts';
import { hostFieldOf } from './remote-services.ts';
import type { RoutedMessage } from './route-all.ts';
import { routeRecipients } from './route-recipients.ts';
import { runSystemFilter } from './system-filter.ts';
import type { UndeliveredAddress } from './undelivered.ts';

/** Delivers a message that this process has locked, and removes it; answers what went wrong. */
export async function deliverWrapped(message: SpooledMessage, tools: DeliveryTools): Promise<string | undefined> {
  const attempt = new Attempt(message, ordinary, tools);
  try {
    const filtered = await runSystemFilter(attempt);
    if (filtered === undefined) return 'system filter failed';
    const routed = await routeRecipients(attempt, filtered);
    return wayward(routed, attempt) ?? (await send(routed, attempt));
  } catch (error) {
    tools.runtime.logs.panic(`delivery failed unexpectedly: ${errorText(error)}`, message.id);
    return `Delivery failed: ${errorText(error)}`;
  } finally {
    attempt.log('Completed');
    message.remove();
  }
}

const problem = (address: string, kind: string): string => `routing ${address} yielded a ${kind} delivery`;

/** An address that does not go to another host. */
function wayward({ local }: RoutedMessage, attempt: Attempt): string | undefined {
  const [failed] = attempt.failed;
  if (failed !== undefined) return `${problem(failed.address.address, 'failed')}: ${failed.message}`;
  const [deferred] = attempt.deferred;
  if (deferred !== undefined) {
    const { address } = deferred.address;
    attempt.log(`** ${address} routing yielded a deferred delivery`);
    return `${problem(address, 'deferred')}: ${deferred.message}`;
  }
  const [first] = local;
  if (first === undefined) return undefined;
  const { address } = first.address;
  attempt.log(`** ${address} routing yielded a local delivery`);
  return problem(address, 'local');
}

async function send({ remote }: RoutedMessage, attempt: Attempt): Promise<string | undefined> {
  const groups = remoteGroups(remote, attempt.message.envelope.sender, 1);
  if (groups.length > 1) {
    attempt.log('** mua_wrapper is set but recipients cannot all be delivered in one transaction');
    return 'delivery to smarthost failed (configuration problem)';
  }
  await deliverGroups(groups, attempt);
  const failed = [...attempt.failed, ...attempt.deferred].at(0);
  return failed === undefined ? undefined : `Delivery failed: ${described(failed, attempt)}`;
}

function described({ host, code, message }: UndeliveredAddress, { selects }: Attempt): string {
  const text = withErrorText(code, message);
  return host === undefined || code > 0 ? text : `${hostFieldOf(host, selects)}: ${text}`;
}
