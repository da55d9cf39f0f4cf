/** What one attempt to deliver a message knows and notes: results go to the journal, the logs and the lists of what is left. */

import type { Context } from '../expand/context.ts';
import type { OfferHints } from '../hints/offer-hints.ts';
import type { WaitHints } from '../hints/wait-hints.ts';
import * as clock from '../lib/clock.ts';
import { lower } from '../lib/octets.ts';
import type { Decisions } from '../observe/decision.ts';
import type { LogSelector } from '../observe/log-selectors.ts';
import { timestamp } from '../observe/main-log.ts';
import type { Clean } from '../safe/taint.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import type { BegunTransaction, KeptConnection } from '../transports/smtp-kept.ts';
import type { DeliveryError } from '../transports/transport.ts';
import { type Inherited, originalAddress, type RouteAddress } from './address.ts';
import {
  deferLine,
  deliveredName,
  deliveryKey,
  type FailureFacts,
  failLine,
  type LineFacts,
  shownTarget,
  successLine,
} from './delivery-log.ts';
import { raiseFailure, raiseOf } from './events.ts';
import { messageContext } from './message-context.ts';
import type { Retry } from './retry.ts';
import { type Delivery, type Failed, failure, type RefusedTarget } from './routing.ts';
import { type Runtime, withQueue } from './runtime.ts';
import type { LocalDeliveries } from './subprocess.ts';
import type { SuccessfulAddress } from './success.ts';
import type { UndeliveredAddress } from './undelivered.ts';

/** What delivering needs besides the message; the same for all messages of a process. */
export interface DeliveryTools {
  readonly runtime: Runtime;
  readonly retry: Retry;
  /** Which messages wait for which hosts. */
  readonly waiting: WaitHints;
  /** What servers offered last time. */
  readonly offers: OfferHints;
  readonly processes: LocalDeliveries;
  /** How a record of decisions is kept for a delivery. */
  readonly decisions: Decisions;
  /** Told of each message before it is delivered. */
  begun(id: string): void;
  /** Delivers a bounce or warning that was just put on the queue. */
  deliverReport(message: SpooledMessage): Promise<void>;
  /** Sends the messages that wait for a host over a connection to it, and closes it. */
  passOn(connection: KeptConnection, options: Pick<DeliveryOptions, 'queueRun'>, queue: Clean): Promise<void>;
}

export interface DeliveryOptions {
  /** Part of a queue run: retry times of routing and local deliveries count. */
  readonly queueRun: boolean;
  /** Whatever the retry times say. */
  readonly force: boolean;
  /** A frozen message, too; it is thawed. */
  readonly thaw: boolean;
  /** No deliveries to other hosts. */
  readonly localOnly: boolean;
  /** The second stage of a queue run follows, so the log says nothing about what is left for it. */
  readonly firstStage?: boolean | undefined;
  /** All that is left is given up (`-Mg`); whoever asks for it logs that. */
  readonly giveUp: boolean;
  /**
   * The connection of an earlier message. Nothing is done but deliveries over it: not the local ones, nor those to other
   * hosts; retry times of routing count (Exim spec 5, -MC).
   */
  readonly over?: KeptConnection | undefined;
  /** What a callout has begun for this message. */
  readonly begun?: BegunTransaction | undefined;
}

export const ordinary: DeliveryOptions = {
  queueRun: false,
  force: false,
  thaw: false,
  localOnly: false,
  giveUp: false,
};

export class Attempt {
  readonly tools: DeliveryTools;
  readonly runtime: Runtime;
  readonly message: SpooledMessage;
  readonly options: DeliveryOptions;
  readonly context: Context;
  readonly dontDeliver: boolean;
  readonly firstDelivery: boolean;
  /** Nothing is delivered any more: whoever can be told is told. */
  gaveUp: boolean;
  /** Why the message is frozen when all is done, although its recipients were not tried. */
  frozenBy: string | undefined;
  /** Others took the place of the recipients, who are done when those are. */
  recipientsReplaced = false;
  /** The last one in front, as reports list them. */
  readonly failed: UndeliveredAddress[] = [];
  readonly deferred: UndeliveredAddress[] = [];
  /** Those among them whose retry rules allow no further attempt, with what is told of them. */
  readonly #givenUp = new Map<UndeliveredAddress, Partial<UndeliveredAddress>>();
  readonly successes: SuccessfulAddress[] = [];
  /** Addresses that others took the place of, in the order of routing. */
  readonly redirected: RouteAddress[] = [];
  /** Connections for the messages that wait for their hosts. */
  readonly kept: KeptConnection[] = [];
  /** More of this message may go over the connection that is used now. */
  needsConnection = false;
  /** What is being sent already over connections that this message had. */
  readonly followed: Promise<void>[] = [];
  /** Something for other hosts was left out, since all that was done was for the connection of an earlier message. */
  leftOthers = false;
  /** Retry keys of what could not be routed in this attempt: their times hold from the next one on. */
  readonly unrouted = new Set<string>();
  readonly #begun = clock.now();

  constructor(message: SpooledMessage, options: DeliveryOptions, tools: DeliveryTools) {
    this.tools = tools;
    this.runtime = withQueue(tools.runtime, message.queue);
    this.message = message;
    this.options = options;
    this.context = messageContext(this.runtime, message, tools.decisions);
    this.gaveUp = options.giveUp;
    this.dontDeliver = message.envelope.facts.dontDeliver ?? false;
    this.firstDelivery = message.envelope.facts.deliverFirstTime ?? false;
  }

  selects = (selector: LogSelector): boolean => this.runtime.logs.selects(selector);

  /** Writes a line to the main log. */
  log(text: string): void {
    this.runtime.logs.main(text, this.message.id);
  }

  /** Writes a line to the log of the message. */
  note(text: string): void {
    this.message.log(`${timestamp(clock.now())} ${text}\n`);
  }

  /** Seconds since the message came in. */
  get age(): number {
    return clock.seconds() - this.message.envelope.receivedTime;
  }

  /** Facts of a delivery line. */
  lineFacts(more: Partial<LineFacts>, begun: number): LineFacts {
    const { envelope } = this.message;
    const received = envelope.receivedTime + (envelope.facts.receivedTimeUsec ?? 0) / 1_000_000;
    return {
      sender: envelope.sender,
      returnPath: envelope.sender,
      queue: this.message.queue,
      size: 0,
      queueTime: clock.now() / 1000 - received,
      deliverTime: (clock.now() - begun) / 1000,
      hostFields: '',
      confirmation: undefined,
      eightBit: this.context.settings.printTopBitCharacters,
      directors: this.runtime.config.directors,
      ...more,
    };
  }

  /**
   * A delivery is done: that is noted on the disk before anything else, unless it was the last thing there was to do.
   * `mark` is `=>` or, for further addresses of the same delivery, `->`.
   */
  async succeeded(delivery: Delivery, mark: '=>' | '->', facts: LineFacts, isLast: boolean): Promise<void> {
    const { dsn_lasthop: lastHop } = delivery.router.common;
    const { passedOnTo } = facts;
    // a host that speaks DSN tells the sender itself, if it was asked to
    const isTold = passedOnTo?.speaksDsn === true && !lastHop && delivery.address.parent === undefined;
    if (!isTold) {
      const by = lastHop ? 'last hop' : (passedOnTo?.host ?? 'this host');
      this.successes.push({ address: delivery.address, by });
    }
    if (!this.dontDeliver) {
      if (isLast) this.message.envelope.nonRecipients.add(deliveryKey(delivery));
      else await this.message.noteDelivered([deliveryKey(delivery)]);
    }
    if (delivery.transport.common.disable_logging) return;
    this.log(successLine(this.dontDeliver ? '*>' : mark, delivery, facts, this.selects));
    const { address, target } = delivery;
    const named = target === undefined ? address.address : (delivery.place ?? shownTarget(target));
    const origin = address.parent === undefined ? '' : ` <${address.parent.address}>`;
    this.note(`${named}${origin}: ${delivery.transport.name} transport succeeded`);
    await raiseOf(delivery, { name: 'msg:delivery', data: facts.confirmation ?? '' }, this, passedOnTo?.host);
  }

  /** Facts of a line about an address that was not delivered. */
  #failureFacts(undelivered: UndeliveredAddress, hostFields: string, begun: number): FailureFacts {
    const { address, router, transport, message, code } = undelivered;
    return {
      address,
      shown: undelivered.target === undefined ? undelivered.shown : shownTarget(undelivered.target),
      isTarget: undelivered.target !== undefined,
      eightBit: this.context.settings.printTopBitCharacters,
      held: undelivered.held,
      router,
      directors: this.runtime.config.directors,
      transport,
      message,
      code,
      hostFields,
      sender: this.message.envelope.sender,
      returnPath: undelivered.errorsTo,
      queue: this.message.queue,
      deliverTime: (clock.now() - begun) / 1000,
      isBare: router === undefined && message === gaveUpText,
    };
  }

  /** An address that could not be delivered for good. */
  async fail(undelivered: UndeliveredAddress, hostFields = '', begun = this.#begun): Promise<void> {
    this.failed.unshift(undelivered);
    if (undelivered.transport === undefined) await raiseFailure(undelivered, this);
    const facts = this.#failureFacts(undelivered, hostFields, begun);
    const line = failLine(facts, this.selects);
    if (undelivered.unlogged) return;
    this.log(line);
    const text = line.slice('** '.length);
    this.note(undelivered.router === undefined && undelivered.code >= 0 ? `routing failed for ${text}` : text);
  }

  /** An address that has to wait. Lines about retry times that have not come are written only when they are wanted. */
  defer(undelivered: UndeliveredAddress, hostFields = '', begun = this.#begun): void {
    this.deferred.push(undelivered);
    if (undelivered.unlogged || (undelivered.waiting && !this.selects('retry_defer'))) return;
    const line = deferLine(this.#failureFacts(undelivered, hostFields, begun), this.selects);
    if (undelivered.panic) this.runtime.logs.panic(line, this.message.id);
    else this.log(line);
    if (!undelivered.waiting) this.note(line.slice('== '.length));
  }

  /** Nothing is done or told of a delivery now. */
  leaveOut(delivery: Delivery): void {
    this.deferred.push(this.deliveryFailure(delivery, { code: 0, message: '' }, { waiting: true }));
  }

  /** Sends what waits for the hosts that were reached, while this message is not done yet. */
  passOnNow(): void {
    for (const connection of this.kept.splice(0))
      this.followed.push(this.tools.passOn(connection, this.options, this.message.queue));
  }

  /** The message goes with the next one that gets through to one of these hosts. */
  noteWaiting(transport: string, hosts: readonly string[]): void {
    if (!this.dontDeliver) this.tools.waiting.note(transport, hosts, this.message.id);
  }

  /** A deferred address is given up; that is told when all else is done. `reason` is for the sender. */
  giveUp(undelivered: UndeliveredAddress, reason: string, more: Partial<UndeliveredAddress> = {}): void {
    const publicMessage = reason === '' ? gaveUpText : `${reason}: ${gaveUpText}`;
    this.#givenUp.set(undelivered, { router: undefined, code: 0, message: gaveUpText, publicMessage, ...more });
  }

  /** All recipients fail, and one line tells it; nobody is told when nobody can be. */
  cancel(line: string, publicMessage: string): void {
    this.log(line);
    this.gaveUp = true;
    for (const address of this.recipientsToDo()) {
      const failed = failure('failed', address, undefined, publicMessage);
      this.failed.unshift(this.routingFailure(failed));
    }
  }

  /** All that was given up fails. */
  async failGivenUp(): Promise<void> {
    for (const [undelivered, more] of this.#givenUp) {
      this.deferred.splice(this.deferred.indexOf(undelivered), 1);
      await this.fail({ ...undelivered, ...more });
    }
    this.#givenUp.clear();
  }

  /** What routing could not do. */
  routingFailure(failed: Failed, waiting = false): UndeliveredAddress {
    const { address, shown, router, message, publicMessage, code } = failed;
    return {
      address,
      shown,
      target: undefined,
      router: router?.name,
      transport: undefined,
      code,
      message,
      publicMessage: publicMessage ?? message,
      output: undefined,
      host: undefined,
      freeze: failed.freeze,
      panic: false,
      errorsTo: this.#errorsTo(address.inherited),
      waiting,
      unlogged: router?.common.disable_logging,
    };
  }

  /** A file or command that nothing may or can be delivered to. */
  refusal({ address, target, router, code, message }: RefusedTarget): UndeliveredAddress {
    return {
      ...this.routingFailure(failure('deferred', address, router, message, { code, publicMessage: '' })),
      target: target.kind === 'address' ? undefined : { kind: target.kind, text: target.text },
      transport: target.transport,
    };
  }

  #errorsTo({ errorsTo, ignoresErrors }: Inherited): string {
    const { sender } = this.message.envelope;
    return sender === '' || ignoresErrors ? '' : (errorsTo ?? sender);
  }

  /** What a transport could not do. */
  deliveryFailure(
    delivery: Delivery,
    error: DeliveryError,
    more: Partial<UndeliveredAddress> = {},
  ): UndeliveredAddress {
    const { address, target, router, transport, facts } = delivery;
    return {
      address,
      shown: deliveredName(facts),
      target:
        target === undefined || target.kind === 'address'
          ? undefined
          : { kind: target.kind, text: delivery.place ?? target.text },
      router: router.name,
      transport: transport.name,
      code: error.code,
      message: error.message,
      publicMessage: error.publicMessage ?? error.message,
      output: error.output,
      host: undefined,
      freeze: error.freeze ?? false,
      panic: error.panic ?? false,
      errorsTo: this.#errorsTo(delivery.inherited),
      waiting: false,
      unlogged: transport.common.disable_logging,
      ...more,
    };
  }

  /** The recipients of the envelope that were not done before. */
  recipientsToDo(): RouteAddress[] {
    const { recipients, nonRecipients } = this.message.envelope;
    return recipients.flatMap(({ address, errorsTo, parent }, index) => {
      if (nonRecipients.has(address) || nonRecipients.has(keyOf(address))) return [];
      const own = originalAddress(address, index, errorsTo);
      const above = parent === undefined ? undefined : recipients[parent];
      // one that a router with one_time added still tells where it came from
      return [above === undefined ? own : { ...own, parent: originalAddress(above.address, parent) }];
    });
  }
}

const gaveUpText = 'retry timeout exceeded';

/** The key that an address of the envelope has in the list of finished ones. */
export function keyOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? address : `${address.slice(0, at)}@${lower(address.slice(at + 1))}`;
}
