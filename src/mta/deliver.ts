/**
 * One attempt to deliver one message: its recipients are routed, the local deliveries made and then the remote ones,
 * each result noted before anything else; then the sender is told of what failed for good, and the message leaves the
 * queue or waits for its next attempt (Exim spec 3.13 - 3.16). This file keeps the order of things; the work is done in
 * the files it imports.
 */

import type { Template } from '../expand/expand.ts';
import * as clock from '../lib/clock.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { Attempt, type DeliveryOptions, type DeliveryTools } from './attempt.ts';
import { conclude } from './conclude.ts';
import { deliverBatches } from './deliver-local.ts';
import { deliverGroups } from './deliver-remote.ts';
import { localBatches, remoteGroups } from './group.ts';
import type { RoutedMessage } from './route-all.ts';
import { routeRecipients } from './route-recipients.ts';
import { type Delivery, failure } from './routing.ts';
import { sortRemote } from './sort-remote.ts';
import { runSystemFilter } from './system-filter.ts';

/**
 * Delivers a message that this process has locked; the lock is given up at the end. Messages that wait for the hosts it
 * went to follow over the same connections (Exim spec 49.1).
 */
export async function deliver(message: SpooledMessage, options: DeliveryOptions, tools: DeliveryTools): Promise<void> {
  const { kept, followed } = await deliverAlone(message, options, tools);
  options.begun?.connection.hangUp();
  await Promise.all([...followed, ...kept.map((connection) => tools.passOn(connection, options, message.queue))]);
}

/** The same for this message alone; answers what was kept for others, and what goes on. */
export async function deliverAlone(
  message: SpooledMessage,
  options: DeliveryOptions,
  tools: DeliveryTools,
): Promise<Attempt> {
  const attempt = new Attempt(message, options, tools);
  const { decisions } = tools;
  tools.begun(message.id);
  if (decisions.listening) decisions.begin('deliver', `message ${message.id}`);
  try {
    if (!(await isDue(attempt))) return attempt;
    if (attempt.gaveUp) giveUpAll(attempt);
    else if (runsInCircles(attempt)) await failAll(attempt, 'Too many "Received" headers - suspected mail loop');
    else {
      const filtered = await runSystemFilter(attempt);
      if (filtered === undefined) return attempt;
      const routed = await routeRecipients(attempt, filtered);
      if (!isQuick(routed)) await message.makeSafe();
      const { sender } = message.envelope;
      const { main } = attempt.runtime.config;
      const batches = localBatches(routed.local, sender, (...of) => batchId(attempt, ...of));
      if (options.over !== undefined) for (const delivery of routed.local) attempt.leaveOut(delivery);
      else await deliverBatches(batches, attempt, routed.remote.length === 0);
      const remote = await sortRemote(routed.remote, main, attempt.context);
      await deliverGroups(remoteGroups(remote, sender, main.remote_max_parallel), attempt);
    }
    await conclude(attempt);
  } catch (error) {
    // the system's errors speak for themselves; any other is a mistake of ours
    const reason = errorCode(error) === undefined && error instanceof Error ? error.stack : errorText(error);
    tools.runtime.logs.panic(`delivery failed unexpectedly: ${reason}`, message.id);
  } finally {
    await letGo(attempt);
    if (decisions.listening) decisions.end(attempt.deferred.length > 0 ? 'deferred' : 'complete');
  }
  return attempt;
}

/**
 * Whether what is to be done is so quick that a new message may stay in memory meanwhile: one file is written, so that
 * all is done or nothing, and nobody is told anything.
 */
function isQuick({ local, remote, noted }: RoutedMessage): boolean {
  return (
    !noted &&
    remote.length === 0 &&
    local.length === 1 &&
    local.every(({ transport }) => transport.driver.isQuick === true)
  );
}

/** Gives the message up to others; if it is still there, it is on the disk then. */
async function letGo({ message, runtime }: Attempt): Promise<void> {
  try {
    await message.makeSafe();
  } catch (error) {
    runtime.logs.panic(`the message could not be written to the spool: ${errorText(error)}`, message.id);
  } finally {
    message.release();
  }
}

/** Expands `batch_id` for an address. */
async function batchId(
  { context, runtime, message }: Attempt,
  { address, facts, transport }: Delivery,
  template: Template,
): Promise<string | undefined> {
  const expansion = await template.expand({ ...context, address: facts });
  if (expansion.ok) return expansion.text.value;
  const what = `Failed to expand batch_id option in ${transport.name} transport (${address.address})`;
  runtime.logs.panic(`${what}: ${expansion.message}`, message.id);
  return undefined;
}

/** Whether a frozen message may be touched; it is thawed when its time has come (Exim spec 14, auto_thaw). */
async function isDue(attempt: Attempt): Promise<boolean> {
  const { message, options, runtime } = attempt;
  const { facts } = message.envelope;
  const { frozen } = facts;
  if (frozen === undefined || attempt.gaveUp) return true;
  const frozenFor = clock.seconds() - frozen;
  const { auto_thaw: autoThaw, timeout_frozen_after: timeout } = runtime.config.main;
  if (timeout > 0 && frozenFor >= timeout) {
    attempt.log('cancelled by timeout_frozen_after');
    attempt.gaveUp = true;
    return true;
  }
  if (options.thaw && !(options.queueRun && isOldBounce(attempt))) attempt.log('Unfrozen by forced delivery');
  else if (isOldBounce(attempt)) attempt.log('Unfrozen by errmsg timer');
  else if (autoThaw > 0 && frozenFor >= autoThaw && !facts.manualThaw && message.envelope.sender !== '') {
    attempt.log('Unfrozen by auto-thaw');
  } else {
    if (attempt.selects('skip_delivery')) attempt.log('Message is frozen');
    return false;
  }
  facts.frozen = undefined;
  return true;
}

/** A bounce that could not be delivered is tried once more, and then dropped (ignore_bounce_errors_after). */
function isOldBounce({ message, age, runtime }: Attempt): boolean {
  return message.envelope.sender === '' && age > runtime.config.main.ignore_bounce_errors_after;
}

/** All that is left counts as failed; the sender is told, the log has its line already. */
function giveUpAll(attempt: Attempt): void {
  for (const address of attempt.recipientsToDo()) {
    const failed = failure('failed', address, undefined, '');
    attempt.failed.unshift(attempt.routingFailure(failed));
  }
}

/** Whether the message has been through too many hosts (Exim spec 14, received_headers_max). */
function runsInCircles({ context, runtime }: Attempt): boolean {
  return (context.message?.receivedCount ?? 0) > runtime.config.main.received_headers_max;
}

async function failAll(attempt: Attempt, reason: string): Promise<void> {
  for (const address of attempt.recipientsToDo()) {
    const failed = failure('failed', address, undefined, reason, { shown: address.address });
    await attempt.fail({ ...attempt.routingFailure(failed), publicMessage: '' });
  }
}
