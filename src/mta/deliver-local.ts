/** The local deliveries of a message, one batch after the other (Exim spec 23). */

import { retryKeys } from '../hints/retry-hints.ts';
import * as clock from '../lib/clock.ts';
import type { DeliveryError, TransportInstance, Undelivered } from '../transports/transport.ts';
import { errorCodes } from '../transports/transport.ts';
import { addressKey, type RouteAddress } from './address.ts';
import type { Attempt } from './attempt.ts';
import { deliveryKey, withErrorText } from './delivery-log.ts';
import type { Batch } from './delivery-request.ts';
import { raiseOf } from './events.ts';
import type { LocalBatch } from './group.ts';
import { deliverLocally, type LocalDeliveryTools, type LocallyDelivered } from './local-delivery.ts';
import { sendQuotaWarning } from './quota-warning.ts';
import type { RetrySubject } from './retry.ts';
import type { Delivery } from './routing.ts';
import { placeFor } from './transport-places.ts';

const localRetry = -53;

/** Delivers; `nothingElse` says that no remote delivery follows. */
export async function deliverBatches(
  batches: AsyncIterable<LocalBatch>,
  attempt: Attempt,
  nothingElse: boolean,
): Promise<void> {
  for await (const { batch, isLast } of batches) await deliverBatch(batch, attempt, nothingElse && isLast);
}

/** What retry rules see of a local delivery. */
function subjectOf(delivery: Delivery, error: DeliveryError): RetrySubject {
  const { address, target, transport, facts } = delivery;
  const matched = target === undefined ? address : (address.parent ?? address);
  const whole = transport.set.has('retry_use_local_part') ? transport.common.retry_use_local_part : true;
  return {
    key: retryKeys.delivery(
      target === undefined ? (whole ? addressKey(address) : facts.domain) : deliveryKey(delivery),
    ),
    addresses: [whole ? qualified(matched) : `*@${matched.domain}`],
    error,
    ofMessage: error.code === errorCodes.quota,
  };
}

/** What comes from the system filter has no domain that a retry rule could look at. */
const qualified = ({ address, domain }: RouteAddress): string => (domain === '' ? `${address}@localhost` : address);

async function waits(delivery: Delivery, attempt: Attempt): Promise<boolean> {
  const { options, tools, message, context } = attempt;
  if (!options.queueRun || options.force) return false;
  const { key } = subjectOf(delivery, { code: 0, message: '' });
  const record = tools.retry.record(key);
  if (record === undefined || record.nextTry <= clock.seconds()) return false;
  const subject = subjectOf(delivery, record);
  return !(await tools.retry.isOverdue(subject, message.envelope.sender, message.envelope.receivedTime, context));
}

interface LocalResult extends LocallyDelivered {
  /** With the transport that delivered in the end. */
  readonly delivered: Batch;
}

/** Delivers when the transport may run once more at this time. */
async function inItsPlace(batch: Batch, attempt: Attempt): Promise<LocalResult> {
  const release = await placeFor(batch[0].transport, attempt);
  if (typeof release !== 'function') return { result: release, returnPath: '', size: 0, delivered: batch };
  try {
    return await withHandOver(batch, attempt);
  } finally {
    release();
  }
}

/** Transports that may hand a mailbox on to each other, one after the other. */
const mostHandOvers = 10;

/** Delivers, by another transport where the first finds that the mailbox has that one's format. */
async function withHandOver(batch: Batch, attempt: Attempt): Promise<LocalResult> {
  let delivered = batch;
  for (let count = 0; ; count++) {
    const done = await deliverLocally(delivered, attempt.context, toolsOf(attempt));
    const { result } = done;
    if (result.outcome === 'delivered' || result.handOverTo === undefined) return { ...done, delivered };
    const other = attempt.runtime.config.transports.get(result.handOverTo);
    if (other?.worker.style !== 'local' || count === mostHandOvers) {
      const message = `${result.handOverTo} transport (for the format of the mailbox) not found`;
      return { ...done, delivered, result: { ...result, message } };
    }
    delivered = byTransport(delivered, other);
  }
}

function byTransport([first, ...others]: Batch, transport: TransportInstance): Batch {
  return [{ ...first, transport }, ...others.map((delivery) => ({ ...delivery, transport }))];
}

/** With what logs call the place. */
function atPlace([first, ...others]: Batch, place: string): Batch {
  return [{ ...first, place }, ...others.map((delivery) => ({ ...delivery, place }))];
}

function toolsOf({ runtime, message, tools, options, firstDelivery, dontDeliver }: Attempt): LocalDeliveryTools {
  const { processes, deliverReport } = tools;
  return { runtime, message, processes, firstDelivery, queueRunning: options.queueRun, dontDeliver, deliverReport };
}

const untrue: ReadonlySet<string> = new Set(['', '0', 'no', 'false']);

/** Repeats a delivery by the shadow transport; what the line about the delivery says of it (Exim spec 24). */
async function shadowOf(batch: Batch, attempt: Attempt): Promise<string | undefined> {
  const { context, runtime } = attempt;
  const { common, name } = batch[0].transport;
  const { shadow_transport: shadowName, shadow_condition: condition } = common;
  if (shadowName === undefined || attempt.dontDeliver) return undefined;
  const shadow = runtime.config.transports.get(shadowName);
  if (shadow?.worker.style !== 'local') {
    runtime.logs.panic(`shadow transport "${shadowName}" not found`, attempt.message.id);
    return undefined;
  }
  if (condition !== undefined) {
    const expansion = await condition.expand(context);
    if (!expansion.ok && expansion.kind !== 'forced') {
      const problem = `failed to expand condition "${condition.source}" for ${name} transport: ${expansion.message}`;
      runtime.logs.panic(problem, attempt.message.id);
    }
    if (!expansion.ok || untrue.has(expansion.text.value)) return undefined;
  }
  const { result } = await deliverLocally(byTransport(batch, shadow), context, toolsOf(attempt));
  return result.outcome === 'delivered' ? shadowName : `${shadowName} (${withErrorText(result.code, result.message)})`;
}

async function deliverBatch(batch: Batch, attempt: Attempt, isLast: boolean): Promise<void> {
  const { context, tools } = attempt;
  const [first] = batch;
  if (await waits(first, attempt)) {
    for (const delivery of batch) {
      const error = { code: localRetry, message: 'Retry time not yet reached' };
      attempt.defer(attempt.deliveryFailure(delivery, error, { waiting: true }));
    }
    return;
  }
  const begun = clock.now();
  const { decisions } = context;
  if (decisions.listening) {
    decisions.begin('transport', `transport ${first.transport.name} for ${first.address.address}`);
  }
  const { result, returnPath, size, place, delivered: done } = await inItsPlace(batch, attempt);
  const delivered = place === undefined ? done : atPlace(done, place);
  if (decisions.listening) decisions.end(result.outcome, result.outcome === 'delivered' ? '' : result.message);
  if (result.outcome === 'delivered') {
    if (result.warning !== undefined) await sendQuotaWarning(result.warning.message, attempt);
    if (result.logLine !== undefined) logOutput(first, result.logLine, attempt);
    const shadow = await shadowOf(delivered, attempt);
    for (const [index, delivery] of delivered.entries()) {
      tools.retry.forget(subjectOf(delivery, { code: 0, message: '' }).key);
      const [host] = delivery.hosts;
      const hostFields = host === undefined ? '' : ` H=${host.name}`;
      const facts = attempt.lineFacts({ returnPath, size, shadow, hostFields }, begun);
      await attempt.succeeded(delivery, index === 0 ? '=>' : '->', facts, isLast && index === batch.length - 1);
    }
    return;
  }
  if (result.logLine !== undefined) logOutput(first, result.logLine, attempt);
  for (const delivery of delivered) await undelivered(delivery, result, attempt, begun);
}

function logOutput({ address, target, transport }: Delivery, line: string, attempt: Attempt): void {
  const shown = target === undefined ? address.address : (address.parent?.address ?? address.address);
  attempt.log(`<${shown}>: ${transport.name} transport output: ${line}`);
}

async function undelivered(delivery: Delivery, result: Undelivered, attempt: Attempt, begun: number): Promise<void> {
  const { message, tools, context } = attempt;
  const deferred = result.outcome === 'deferred';
  const failure = attempt.deliveryFailure(delivery, result, deferred ? { publicMessage: briefly(result) } : {});
  if (!deferred) {
    await raiseOf(delivery, { name: 'msg:fail:delivery' }, attempt);
    await attempt.fail(failure, '', begun);
    return;
  }
  attempt.defer(failure, '', begun);
  if (result.freeze) return;
  const { sender, receivedTime } = message.envelope;
  const verdict = await tools.retry.failed(subjectOf(delivery, result), sender, receivedTime, context);
  if (!verdict.timedOut) return;
  attempt.giveUp(failure, failure.publicMessage, { transport: undefined });
}

/** What a sender may know of why it has to wait: what a server said, but not what is amiss here. */
function briefly({ code, publicMessage, message, reply }: DeliveryError): string {
  return publicMessage ?? (code === errorCodes.quota ? 'mailbox is full' : reply === undefined ? '' : message);
}
