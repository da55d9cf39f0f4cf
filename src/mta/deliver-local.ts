/** The local deliveries of a message, one batch after the other (Exim spec 23). */

import { retryKeys } from '../hints/retry-hints.ts';
import * as clock from '../lib/clock.ts';
import type { DeliveryError, Undelivered } from '../transports/transport.ts';
import { errorCodes } from '../transports/transport.ts';
import { addressKey } from './address.ts';
import type { Attempt } from './attempt.ts';
import { deliveryKey } from './delivery-log.ts';
import type { Batch } from './delivery-request.ts';
import { deliverLocally } from './local-delivery.ts';
import { sendQuotaWarning } from './quota-warning.ts';
import type { RetrySubject } from './retry.ts';
import type { Delivery } from './routing.ts';

const localRetry = -53;

/** Delivers; `nothingElse` says that no remote delivery follows. */
export async function deliverBatches(batches: readonly Batch[], attempt: Attempt, nothingElse: boolean): Promise<void> {
  for (const [index, batch] of batches.entries()) {
    const isLast = nothingElse && index === batches.length - 1;
    await deliverBatch(batch, attempt, isLast);
  }
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
    addresses: [whole ? matched.address : `*@${matched.domain}`],
    error,
    ofMessage: error.code === errorCodes.quota,
  };
}

async function waits(delivery: Delivery, attempt: Attempt): Promise<boolean> {
  const { options, tools, message, context } = attempt;
  if (!options.queueRun || options.force) return false;
  const { key } = subjectOf(delivery, { code: 0, message: '' });
  const record = tools.retry.record(key);
  if (record === undefined || record.nextTry <= clock.seconds()) return false;
  const subject = subjectOf(delivery, record);
  return !(await tools.retry.isOverdue(subject, message.envelope.sender, message.envelope.receivedTime, context));
}

async function deliverBatch(batch: Batch, attempt: Attempt, isLast: boolean): Promise<void> {
  const { context, tools, message, runtime } = attempt;
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
  const { result, returnPath, size } = await deliverLocally(batch, context, {
    runtime,
    message,
    processes: tools.processes,
    firstDelivery: attempt.firstDelivery,
    queueRunning: attempt.options.queueRun,
    dontDeliver: attempt.dontDeliver,
  });
  if (decisions.listening) decisions.end(result.outcome, result.outcome === 'delivered' ? '' : result.message);
  if (result.outcome === 'delivered') {
    if (result.warning !== undefined) await sendQuotaWarning(result.warning.message, attempt);
    if (result.logLine !== undefined) logOutput(first, result.logLine, attempt);
    for (const [index, delivery] of batch.entries()) {
      tools.retry.forget(subjectOf(delivery, { code: 0, message: '' }).key);
      const facts = attempt.lineFacts({ returnPath, size }, begun);
      await attempt.succeeded(delivery, index === 0 ? '=>' : '->', facts, isLast && index === batch.length - 1);
    }
    return;
  }
  if (result.logLine !== undefined) logOutput(first, result.logLine, attempt);
  for (const delivery of batch) await undelivered(delivery, result, attempt, begun);
}

function logOutput({ address, target, transport }: Delivery, line: string, attempt: Attempt): void {
  const shown = target === undefined ? address.address : (address.parent?.address ?? address.address);
  attempt.log(`<${shown}>: ${transport.name} transport output: ${line}`);
}

async function undelivered(delivery: Delivery, result: Undelivered, attempt: Attempt, begun: number): Promise<void> {
  const { message, tools, context } = attempt;
  const failure = attempt.deliveryFailure(delivery, result);
  if (result.outcome === 'failed') {
    attempt.fail(failure, '', begun);
    return;
  }
  attempt.defer(failure, '', begun);
  if (result.freeze) return;
  const { sender, receivedTime } = message.envelope;
  const verdict = await tools.retry.failed(subjectOf(delivery, result), sender, receivedTime, context);
  if (!verdict.timedOut) return;
  attempt.deferred.splice(attempt.deferred.indexOf(failure), 1);
  attempt.fail({
    ...failure,
    router: undefined,
    transport: undefined,
    code: 0,
    message: 'retry timeout exceeded',
    publicMessage: `${briefly(result)}: retry timeout exceeded`,
  });
}

/** What a sender may know of a reason. */
function briefly({ code, publicMessage, message }: DeliveryError): string {
  return publicMessage ?? (code === errorCodes.quota ? 'mailbox is full' : message);
}
