/**
 * `control = cutthrough_delivery` after DATA (Exim spec 44.22): the message goes over the transaction that was begun at
 * RCPT before the client is answered, and the client hears what the host says. It is not written to the queue when the
 * host takes it; when nobody can tell whether it has, it is kept, so that it may be there twice but is never lost.
 *
 * Unlike Exim the message is sent when it is here whole and its ACLs have accepted it: no host gets a part of a message
 * that is refused then. Where the transaction is not all that is to be done for the message, it is dropped, and the
 * message is delivered in the ordinary way.
 */

import type { Context } from '../../expand/context.ts';
import { freshResults } from '../../expand/expand.ts';
import * as clock from '../../lib/clock.ts';
import { type Reply as HostReply, replyClass, replyText } from '../../smtp/reply.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import { isCutthroughAble, sendBegun } from '../../transports/smtp-cutthrough.ts';
import type { BegunTransaction } from '../../transports/smtp-kept.ts';
import type { RemoteResult } from '../../transports/transport.ts';
import { topOf } from '../address.ts';
import { type Arrival, rewriteTools } from '../arrival.ts';
import { headersForLog } from '../arrival-log.ts';
import { deliveredHeaders } from '../content.ts';
import { deliveryFields } from '../deliver-remote.ts';
import { shownAddress, successLine } from '../delivery-log.ts';
import { type Batch, commonChecks, deliveryFacts, errorsAddress } from '../delivery-request.ts';
import { raise } from '../events.ts';
import { remoteGroups } from '../group.ts';
import type { Delivery } from '../routing.ts';
import type { Reception } from './reception.ts';

export type Passed =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'refused'; readonly reply: Reply }
  /** It is for the queue; `waits`: no delivery is tried at once. */
  | { readonly outcome: 'kept'; readonly waits: boolean };

const ordinary: Passed = { outcome: 'kept', waits: false };
const unclear: Reply = { code: '450', text: 'Onward transmission not accepted' };

/** `headers` are those of the message before ACLs that have seen it asked for others. */
export async function handOver(arrival: Arrival, headers: Arrival['headers'], reception: Reception): Promise<Passed> {
  const { acls } = reception;
  const { decisions } = arrival.context;
  const batch = await takeBatch(arrival, reception);
  if (batch === undefined) {
    acls.delivering.release();
    return ordinary;
  }
  const { begun, deliveries } = batch;
  if (decisions.listening) decisions.begin('transport', `cutthrough delivery to ${begun.connection.host.name}`);
  let passed: Passed | undefined;
  try {
    passed = await send(begun, deliveries, arrival, headers, reception);
    return passed;
  } finally {
    if (decisions.listening) decisions.end(passed?.outcome ?? 'error');
    // what was not taken to send the message
    begun.connection.hangUp();
  }
}

/** What is begun, when it is for all recipients of the message and says all there is to say. */
async function takeBatch(
  { sender, recipients, returnPart, envelopeId, smtpUtf8, dontDeliver, lastChunk }: Arrival,
  { acls }: Reception,
): Promise<{ readonly begun: BegunTransaction; readonly deliveries: Batch } | undefined> {
  const { freeze, queueOnly } = acls.requests.controls;
  const says = returnPart ?? envelopeId ?? recipients.find(({ notification }) => notification?.flags);
  if (freeze || queueOnly || dontDeliver || smtpUtf8 || says !== undefined || lastChunk !== undefined) return undefined;
  const taken = await acls.delivering.takeDeliveries();
  if (taken === undefined) return undefined;
  const { begun } = taken;
  const [deliveries, ...others] = remoteGroups(taken.deliveries, sender, 1);
  const isForAll =
    deliveries?.length === recipients.length &&
    deliveries.every(({ address }, i) => topOf(address).address === recipients[i]?.address);
  if (isForAll && others.length === 0 && begun.sender === sender && isCutthroughAble(deliveries[0].transport, begun)) {
    return { begun, deliveries };
  }
  begun.connection.hangUp();
  return undefined;
}

async function send(
  begun: BegunTransaction,
  deliveries: Batch,
  arrival: Arrival,
  headers: Arrival['headers'],
  reception: Reception,
): Promise<Passed> {
  const { runtime, newMessage, sender } = arrival;
  const [first] = deliveries;
  const started = clock.now();
  const context: Context = { ...arrival.context, results: freshResults(), address: first.facts };
  const { transport, inherited } = first;
  context.delivery = deliveryFacts(first, sender, { firstDelivery: true, queueRunning: false });
  const checked = await commonChecks(first, context, context.message?.size ?? 0, (line) =>
    runtime.logs.panic(line, newMessage.id),
  );
  if ('outcome' in checked) return ordinary;
  // the host was told another sender
  if ((checked.returnPath ?? errorsAddress(first, sender)) !== sender) return ordinary;
  const made = await deliveredHeaders(
    {
      headers,
      common: transport.common,
      added: inherited.headersAdd,
      removed: inherited.headersRemove,
      returnPath: sender,
      envelopeTo: arrival.recipients.map(({ address }) => address),
      rewrite: rewriteTools(runtime, newMessage.id, runtime.config.transportRewriteRules.get(transport.name) ?? []),
    },
    context,
  );
  if ('message' in made) return ordinary;
  if (headers !== arrival.headers) {
    const text = 'Header modification in data ACLs will not take effect on cutthrough deliveries';
    runtime.logs.write(['main', 'panic'], text, newMessage.id);
  }
  const sent = await sendBegun(begun, transport, { headers: made.headers, body: await newMessage.body() });
  if (sent === undefined) return ordinary;
  const { connection, transaction } = sent;
  const { answers, failure, written } = transaction;
  const telling = async (reply: HostReply, mark: string): Promise<void> => {
    const { host } = begun.connection;
    const result: RemoteResult & { readonly outcome: 'delivered' } = {
      outcome: 'delivered',
      host,
      confirmation: replyText(reply),
      local: connection.local,
      tls: connection.tls,
      authenticator: connection.authenticator,
      continued: false,
      transaction: 0,
      pipelining: false,
    };
    await tell(deliveries, result, { mark, size: written, started, arrival, reception, context });
  };
  const [answer] = answers;
  if (failure === undefined && answer?.state === 'delivered') {
    await telling(answer.reply, '>>');
    return { outcome: 'delivered' };
  }
  const { cutthrough } = reception.acls.requests.controls;
  // nobody has the message yet
  if (failure?.stage === 'data') return ordinary;
  if (failure?.kind !== 'refused' || ![4, 5].includes(replyClass(failure.reply))) {
    return cutthrough?.passesDefers ? { outcome: 'refused', reply: unclear } : { outcome: 'kept', waits: true };
  }
  const isFinal = replyClass(failure.reply) === 5;
  await telling(failure.reply, isFinal ? 'rejected' : 'tmp-reject from cutthrough');
  return isFinal || cutthrough?.passesDefers
    ? { outcome: 'refused', reply: passedOn(failure.reply) }
    : { outcome: 'kept', waits: true };
}

/** The words of another server as ours. */
const passedOn = ({ code, lines }: HostReply): Reply => ({
  code: String(code),
  text: lines.map((line) => line.slice(4)).join('\n'),
});

interface Telling {
  readonly mark: string;
  readonly size: number;
  readonly started: number;
  readonly arrival: Arrival;
  readonly reception: Reception;
  readonly context: Context;
}

/** Writes a line for each recipient, the last one first, as Exim does. */
async function tell(
  deliveries: readonly Delivery[],
  result: RemoteResult & { readonly outcome: 'delivered' },
  { mark, size, started, arrival, reception, context }: Telling,
): Promise<void> {
  const { runtime, newMessage, sender, begun } = arrival;
  const { logs, config } = runtime;
  const { selects, hostText } = reception;
  // it is the sender that the host was told
  const shows: typeof selects = (selector) => selector !== 'return_path_on_delivery' && selects(selector);
  const now = clock.now();
  const facts = {
    sender,
    returnPath: sender,
    queue: arrival.context.queueName,
    size,
    queueTime: (now - begun) / 1000,
    deliverTime: (now - started) / 1000,
    confirmation: result.confirmation,
    eightBit: arrival.context.settings.printTopBitCharacters,
    directors: config.directors,
  };
  for (const delivery of deliveries.toReversed()) {
    // the connection was made for the first of them, whose line alone tells of its TLS
    const told = delivery === deliveries[0] ? result : { ...result, tls: undefined };
    const line = successLine('>>', delivery, { ...facts, hostFields: deliveryFields(told, selects) }, shows);
    if (mark === '>>') {
      logs.main(line, newMessage.id);
      const { event_action: action } = delivery.transport.common;
      const event = { name: 'msg:delivery', data: result.confirmation ?? '' } as const;
      const { name, address, port } = result.host;
      const at = context.delivery && { ...context.delivery, host: name, hostAddress: address, hostPort: port ?? 0 };
      await raise(action, event, runtime, {
        ...context,
        address: { ...delivery.facts, routerName: delivery.router.name },
        delivery: at,
      });
      continue;
    }
    const shown = shownAddress(delivery, selects);
    const rest = line.slice(`>> ${shown}`.length).replace(/^ F=<[^>]*>/, '');
    const text = `${hostText}${shown} F=<${sender}> ${mark} after DATA:${rest}`;
    const headers = selects('rejected_header') ? headersForLog(arrival) : '';
    logs.write(mark === 'rejected' ? ['main', 'reject'] : ['main'], text, newMessage.id, headers);
  }
}
