/** The remote deliveries of a message: sets of addresses for the same hosts, several at a time (Exim spec 49.1, remote_max_parallel). */

import { retryKeys } from '../hints/retry-hints.ts';
import * as clock from '../lib/clock.ts';
import { errorNumberText } from '../lib/errno.ts';
import { printingLine } from '../lib/escapes.ts';
import { matchTemplate } from '../lists/option.ts';
import type { KeptConnection } from '../transports/smtp-kept.ts';
import { errorCodes, type RemoteResult, type RemoteTransport } from '../transports/transport.ts';
import { addressKey } from './address.ts';
import { tlsFields } from './arrival-log.ts';
import type { Attempt } from './attempt.ts';
import type { Batch } from './delivery-request.ts';
import { raiseOf } from './events.ts';
import { deliverRemotely, type RemoteDelivery } from './remote-delivery.ts';
import { hostFieldOf } from './remote-services.ts';
import type { Delivery } from './routing.ts';
import { placeFor } from './transport-places.ts';
import type { UndeliveredAddress } from './undelivered.ts';

/** Delivers what may go to other hosts now; the rest waits for a queue run. */
export async function deliverGroups(groups: readonly Batch[], attempt: Attempt): Promise<void> {
  const { over } = attempt.options;
  if (over !== undefined) {
    await deliverOver(over, groups, attempt);
    return;
  }
  const waiting: Batch[] = [];
  const inTurn = oneAfterTheOther();
  for (const group of groups) {
    if (attempt.options.localOnly) {
      for (const delivery of group) {
        if (attempt.options.firstStage) attempt.leaveOut(delivery);
        else attempt.defer(attempt.deliveryFailure(delivery, queuedExplicitly));
      }
      await noteWaiting(group, attempt);
    } else if (await isQueued(group, attempt)) {
      for (const delivery of [...group].reverse()) attempt.defer(attempt.deliveryFailure(delivery, keptBack));
      await noteWaiting(group, attempt);
    } else waiting.push(group);
  }
  const width = Math.max(attempt.runtime.config.main.remote_max_parallel, 1);
  let left = waiting.length;
  const worker = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      await deliverGroup(group, attempt, inTurn);
      // while others take their time, no connection has to wait for them
      if (--left > 0) attempt.passOnNow();
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, groups.length) }, worker));
}

/** Delivers what goes over the connection of an earlier message, set by set as long as it lasts. */
async function deliverOver(first: KeptConnection, groups: readonly Batch[], attempt: Attempt): Promise<void> {
  const inTurn = oneAfterTheOther();
  for (const [i, group] of groups.entries()) {
    const over = attempt.kept.at(-1) ?? first;
    attempt.needsConnection = groups.slice(i + 1).some(([{ transport }]) => transport.name === over.transport);
    const mayGo = !over.isTaken && over.transport === group[0].transport.name;
    if (mayGo && (await deliverGroup(group, attempt, inTurn, over)) === 'done') continue;
    for (const delivery of group) attempt.leaveOut(delivery);
    attempt.leftOthers = true;
  }
}

/** What is not sent now goes with the next message that gets through to one of its hosts. */
async function noteWaiting([{ transport, hosts }]: Batch, attempt: Attempt): Promise<void> {
  const { context, message } = attempt;
  const worker = transport.worker as RemoteTransport;
  const returnPath = message.envelope.sender;
  const names = await worker.hostNames({ transport: transport.name, hosts, returnPath, context });
  attempt.noteWaiting(transport.name, names);
}

const queuedExplicitly = { code: 0, message: 'SMTP delivery explicitly queued' };

const keptBack = {
  code: -1,
  message: 'first-pass only routing due to -odqs, queue_smtp_domains or control=queue',
};

/** Whether a group is left for a queue run (queue_smtp_domains). */
async function isQueued(group: Batch, { options, context, runtime }: Attempt): Promise<boolean> {
  const { queue_smtp_domains: queued } = runtime.config.main;
  if (queued === undefined || options.queueRun || options.force) return false;
  for (const { facts } of group) {
    if ((await matchTemplate(queued, facts.domain, context)).outcome === 'match') return true;
  }
  return false;
}

type InTurn = (work: () => Promise<void>) => Promise<void>;

/** Runs pieces of work one after the other, so that the lines about a group stand together in the log. */
function oneAfterTheOther(): InTurn {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    last = last.then(work, work);
    return last;
  };
}

/** `not for it`: the connection `over` leads to another host. */
async function deliverGroup(
  group: Batch,
  attempt: Attempt,
  inTurn: InTurn,
  over?: KeptConnection,
): Promise<'done' | 'not for it'> {
  const begun = clock.now();
  const { decisions } = attempt.context;
  const [first] = group;
  const addresses = group.map(({ address }) => address.address).join(' ');
  if (decisions.listening) decisions.begin('transport', `transport ${first.transport.name} for ${addresses}`);
  const release = await placeFor(first.transport, attempt);
  if (typeof release !== 'function') {
    for (const each of group) attempt.defer(attempt.deliveryFailure(each, release), '', begun);
    if (decisions.listening) decisions.end(release.outcome, release.message);
    return 'done';
  }
  const delivery = await deliverRemotely(group, attempt, over).finally(release);
  if (delivery === undefined) {
    if (decisions.listening) decisions.end('not for this host');
    return 'not for it';
  }
  if (decisions.listening) decisions.end(delivery.results.map(({ outcome }) => outcome).join(' '));
  await inTurn(() => conclude(group, delivery, attempt, begun));
  return 'done';
}

async function conclude(group: Batch, delivery: RemoteDelivery, attempt: Attempt, begun: number): Promise<void> {
  for (const result of delivery.results) noteRefusal(result, attempt);
  let lastDelivered: string | undefined;
  for (const [index, each] of group.entries()) {
    const result = delivery.results[index];
    if (result === undefined) continue;
    if (result.outcome === 'delivered') {
      const said = result.prdr ? '' : result.confirmation;
      const host = `${result.host.name} ${result.host.address} ${result.transaction} ${said}`;
      await delivered(each, result, delivery, host === lastDelivered ? '->' : '=>', attempt, begun);
      lastDelivered = host;
    } else await undelivered(each, result, delivery, attempt, begun);
  }
}

/** The log of the message tells of each recipient that a host would not take, before it tells what becomes of him. */
function noteRefusal(result: RemoteResult, attempt: Attempt): void {
  if (result.outcome === 'delivered' || result.host === undefined) return;
  if (result.refusedAtRcpt !== true && result.retry === undefined) return;
  const text = printingLine(result.message, attempt.context.settings.printTopBitCharacters);
  attempt.note(`${hostFieldOf(result.host, attempt.selects)} ${text}`);
}

/** Fields about the connection, each with a blank in front. */
function connectionFields({ host, local, continued }: RemoteResult, { selects }: Pick<Attempt, 'selects'>): string {
  if (host === undefined) return '';
  let fields = ` ${hostFieldOf(host, selects)}${continued ? '*' : ''}`;
  if (local?.isProxy) return selects('proxy') ? `${fields} PRX=[${local.address}]:${local.port}` : fields;
  // Exim 4.96 asks for both, though only one is about outgoing connections
  if (selects('incoming_interface') && selects('outgoing_interface') && local !== undefined) {
    fields += ` I=[${local.address}]${selects('outgoing_port') ? `:${local.port}` : ''}`;
  }
  return fields;
}

/** Fields of a line about a delivery, each with a blank in front. */
export function deliveryFields(
  result: RemoteResult & { readonly outcome: 'delivered' },
  selects: Attempt['selects'],
): string {
  const pipelined = result.pipelining && selects('pipelining') ? ` L${result.early ? '*' : ''}` : '';
  const used = `${pipelined}${result.prdr ? ' PRDR' : ''}${result.chunking ? ' K' : ''}`;
  const authenticator = result.authenticator === undefined ? '' : ` A=${result.authenticator}`;
  return `${connectionFields(result, { selects })}${tlsFields(result.tls, selects)}${authenticator}${used}`;
}

async function delivered(
  delivery: Delivery,
  result: RemoteResult & { readonly outcome: 'delivered' },
  { returnPath, size }: RemoteDelivery,
  mark: '=>' | '->',
  attempt: Attempt,
  begun: number,
): Promise<void> {
  const { address } = delivery;
  const { retry } = attempt.tools;
  const { sender } = attempt.message.envelope;
  for (const by of [undefined, sender]) retry.forget(retryKeys.recipient(addressKey(address), by));
  const hostFields = deliveryFields(result, attempt.selects);
  const facts = attempt.lineFacts(
    {
      returnPath,
      size,
      hostFields,
      confirmation: result.confirmation,
      passedOnTo: { host: result.host, speaksDsn: result.speaksDsn ?? false },
    },
    begun,
  );
  await attempt.succeeded(delivery, mark, facts, false);
}

async function undelivered(
  delivery: Delivery,
  result: RemoteResult & { readonly outcome: 'failed' | 'deferred' },
  { timedOut, context }: RemoteDelivery,
  attempt: Attempt,
  begun: number,
): Promise<void> {
  const { host } = result;
  const fields = connectionFields(result, attempt);
  const failure: UndeliveredAddress = attempt.deliveryFailure(delivery, result, {
    host,
    waiting: result.outcome === 'deferred' && result.code === errorCodes.hostRetry,
  });
  if (result.outcome === 'failed' || attempt.runtime.config.main.mua_wrapper) {
    const data = host === undefined ? '' : result.message;
    await raiseOf(delivery, { name: 'msg:fail:delivery', data }, attempt, host);
    await attempt.fail(failure, `${fields}${tlsFields(result.tls, attempt.selects)}`, begun);
    return;
  }
  if (!failure.waiting) await raiseDeferral(delivery, result, attempt);
  attempt.defer(failure, fields, begun);
  if (result.freeze || !(await isGivenUp(delivery, result, timedOut, attempt, context))) return;
  attempt.giveUp(failure, failure.publicMessage, { transport: undefined });
}

/** Tells of an address that its hosts would not take now, or of hosts that could not be used. */
async function raiseDeferral(
  delivery: Delivery,
  { retry, code, message, host }: RemoteResult & { readonly outcome: 'failed' | 'deferred' },
  attempt: Attempt,
): Promise<void> {
  const data = message === '' && code > 0 ? errorNumberText(code) : message;
  const names = retry === undefined ? ['msg:defer'] : ['msg:rcpt:host:defer', 'msg:rcpt:defer'];
  for (const name of names) await raiseOf(delivery, { name, data, code }, attempt, host);
}

/** Whether retry rules allow no further attempt: neither at a host that failed nor for the recipient himself. */
async function isGivenUp(
  { address }: Delivery,
  result: RemoteResult & { readonly outcome: 'failed' | 'deferred' },
  timedOut: boolean | undefined,
  attempt: Attempt,
  context: RemoteDelivery['context'],
): Promise<boolean> {
  const { tools, message } = attempt;
  const { host } = result;
  const { sender, receivedTime } = message.envelope;
  let givenUp = timedOut;
  if (result.retry !== undefined) {
    const subject = {
      key: retryKeys.recipient(addressKey(address), result.retry === 'recipient' ? undefined : sender),
      addresses: [address.address],
      error: {
        ...result,
        message: host === undefined ? result.message : `${hostFieldOf(host, attempt.selects)}: ${result.message}`,
      },
    };
    const verdict = await tools.retry.failed(subject, sender, receivedTime, context);
    givenUp = (givenUp ?? true) && verdict.timedOut;
  }
  return givenUp === true && result.hostsLeft !== true;
}
