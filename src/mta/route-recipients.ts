/** The recipients of a message as the routers see them in one attempt: with retry times, and with a line for what fails. */

import type { FilterNotice } from '../filter/filter-outcome.ts';
import { type RetryRecord, retryKeys } from '../hints/retry-hints.ts';
import * as clock from '../lib/clock.ts';
import { matchTemplate } from '../lists/option.ts';
import type { SyntaxErrorReport } from '../routers/router.ts';
import { addressKey, type RouteAddress } from './address.ts';
import { rewriteTools } from './arrival.ts';
import type { Attempt } from './attempt.ts';
import { routedBy } from './delivery-log.ts';
import { renameDomain } from './rename-domain.ts';
import { type RoutedMessage, routeAll } from './route-all.ts';
import { routerServices } from './router-services.ts';
import { type Failed, failure } from './routing.ts';
import { sendNotice } from './send-notice.ts';
import { sendSyntaxErrors } from './syntax-errors.ts';
import type { SystemFiltered } from './system-filter.ts';
import { verifyAddress } from './verify.ts';

/** Numbers in the lines about addresses that wait. */
const waitCodes = { retry: -52, hold: -23, queue: -56 } as const;

/** Routes those recipients that are not done, and what the system filter named; what comes of it at once is noted. */
export async function routeRecipients(attempt: Attempt, filtered: SystemFiltered): Promise<RoutedMessage> {
  const { runtime, message, context } = attempt;
  const { config } = runtime;
  const rules = {
    routers: config.routers,
    transports: config.transports,
    services: {
      ...routerServices(runtime, message.id),
      attempt: {
        firstDelivery: attempt.firstDelivery,
        manuallyThawed: message.envelope.facts.manualThaw ?? false,
      },
      sendNotice: (notice: FilterNotice) => sendNotice(notice, attempt),
      sendSyntaxErrors: (report: SyntaxErrorReport) => sendSyntaxErrors(report, attempt),
    },
    debugPrint: undefined,
    verifyErrorsTo: undefined,
  };
  const verifyErrorsTo = async (address: string): Promise<boolean> =>
    (await verifyAddress(address, 'verify recipient', context, rules)).outcome === 'ok';
  const recipients = filtered.recipients === 'go on' ? attempt.recipientsToDo() : [];
  /** Keys of retry data about addresses that could be routed, or never will be. */
  const settled = new Set<string>();
  // what the filter named last comes first, as in Exim
  const routed = await routeAll([...filtered.addresses].reverse().concat(recipients), context, {
    given: filtered.deliveries,
    isNoted: filtered.recipients !== 'go on' || filtered.refused.length > 0,
    rules: { ...rules, verifyErrorsTo },
    rewrite: rewriteTools(runtime, message.id),
    done: message.envelope.nonRecipients,
    onFailed: (failed) => attempt.fail(attempt.routingFailure(failed)),
    onDeferred: (failed) => deferRouting(failed, attempt),
    onSettled({ address, domain }) {
      settled.add(retryKeys.routing(address)).add(retryKeys.routing(domain));
    },
    mustWait: (address) => mustWait(address, attempt),
    mustQueue: (address) => mustQueue(address, attempt),
    async onRenamed({ from, to }) {
      message.envelope.headers = await renameDomain(message.envelope.headers, from, to);
      if (context.message !== undefined) {
        context.message.headers = message.envelope.headers.filter(({ type }) => type !== '*');
      }
    },
    async onRefused(refused) {
      const { outcome } = refused;
      await attempt[outcome === 'failed' ? 'fail' : 'defer'](attempt.refusal(refused));
    },
    async onNull(delivery) {
      const { sender: returnPath } = message.envelope;
      await attempt.succeeded(delivery, '=>', attempt.lineFacts({ returnPath, bypassed: true }, clock.now()), false);
    },
    onRedirected: (address) => attempt.redirected.push(address),
    onDiscarded(address, router, by) {
      const what = by === 'filter' ? 'discarded' : ':blackhole:';
      attempt.log(`=> ${what} <${address.address}>${routedBy(router, config.directors)}`);
      attempt.note(`${address.address}: ${router} router discarded`);
    },
  });
  for (const key of settled) if (!attempt.unrouted.has(key)) attempt.tools.retry.forget(key);
  return routed;
}

/** Whether routing of an address has to wait: its domain is held, or its retry time has not come. */
async function mustWait(address: RouteAddress, attempt: Attempt): Promise<boolean> {
  const { runtime, context, options } = attempt;
  if (options.force) return false;
  const { hold_domains: held } = runtime.config.main;
  if (held !== undefined && (await matchTemplate(held, address.domain, context)).outcome === 'match') {
    const waiting = failure('deferred', address, undefined, 'domain is held', { code: waitCodes.hold });
    attempt.defer({ ...attempt.routingFailure(waiting), held: true });
    return true;
  }
  const record = options.queueRun || options.over !== undefined ? await waitingRecord(address, attempt) : undefined;
  if (record === undefined) return false;
  const waiting = failure('deferred', address, undefined, 'retry time not reached', {
    code: waitCodes.retry,
    publicMessage: record.message,
  });
  attempt.defer(attempt.routingFailure(waiting, true));
  return true;
}

/** Whether a new message's address waits for the next queue run (queue_domains). */
async function mustQueue(address: RouteAddress, attempt: Attempt): Promise<boolean> {
  const { runtime, context, options } = attempt;
  const { queue_domains: queued } = runtime.config.main;
  if (queued === undefined || !attempt.firstDelivery || options.queueRun || options.force) return false;
  if ((await matchTemplate(queued, address.domain, context)).outcome !== 'match') return false;
  const what = 'domain is in queue_domains';
  attempt.defer(attempt.routingFailure(failure('deferred', address, undefined, what, { code: waitCodes.queue })));
  return true;
}

/** What is remembered of an address whose retry time has not come. */
async function waitingRecord(address: RouteAddress, attempt: Attempt): Promise<RetryRecord | undefined> {
  const { context, tools, message } = attempt;
  const now = clock.seconds();
  const keys = [
    retryKeys.routing(address.address),
    retryKeys.recipient(addressKey(address), message.envelope.sender),
    retryKeys.routing(address.domain),
  ];
  for (const key of keys) {
    const record = tools.retry.record(key);
    if (record === undefined || record.nextTry <= now || attempt.unrouted.has(key)) continue;
    const subject = {
      key,
      addresses: [address.address],
      error: { code: record.code, message: record.message },
    };
    const overdue = await tools.retry.isOverdue(
      subject,
      message.envelope.sender,
      message.envelope.receivedTime,
      context,
    );
    if (!overdue) return record;
  }
  return undefined;
}

/** An address that could not be routed for now: its retry time is set, or it is given up. */
async function deferRouting(failed: Failed, attempt: Attempt): Promise<void> {
  const { message, tools, context } = attempt;
  const { sender, receivedTime } = message.envelope;
  // what is amiss here is not told to the sender, who has to wait
  const undelivered = attempt.routingFailure({ ...failed, publicMessage: failed.publicMessage ?? '' });
  attempt.defer(undelivered);
  const { address, useLocalPart } = failed;
  const key = retryKeys.routing(useLocalPart ? address.address : address.domain);
  attempt.unrouted.add(key);
  const verdict = await tools.retry.failed(
    {
      key,
      addresses: useLocalPart ? [address.address] : [`*@${address.domain}`],
      error: { code: failed.code, message: failed.message },
    },
    sender,
    receivedTime,
    context,
  );
  if (!verdict.timedOut || undelivered.freeze) return;
  attempt.giveUp(undelivered, undelivered.publicMessage);
}
