/**
 * Verification by callout (Exim spec 44.46 - 44.48): what is remembered about the address and its domain, else the hosts
 * that would get its mail, one after the other, until one of them answers.
 *
 * It is bounded by the time for each answer, by the time after which no further host is tried, and by the number of
 * hosts that a transport names. What is learned goes to the hints, which may be lost at any time.
 */

import type { CalloutOptions } from '../acl/verifier.ts';
import type { AddressFacts, Context } from '../expand/context.ts';
import { freshResults } from '../expand/expand.ts';
import * as clock from '../lib/clock.ts';
import { splitAddress } from '../mail/address.ts';
import type { Host } from '../routers/router.ts';
import type { CalloutConnection, CalloutTarget } from '../transports/callout.ts';
import type { ConnectionServices } from '../transports/remote-services.ts';
import type { BegunTransaction } from '../transports/smtp-kept.ts';
import type { ReachableHost } from '../transports/smtp-run.ts';
import type { TransportInstance } from '../transports/transport.ts';
import { CalloutCache } from './callout-cache.ts';
import { type CalloutQuestions, type Findings, Talk, type TalkResult, type Unhappy, unopened } from './callout-talk.ts';
import { type CalloutResult, refused, refusedNext, type Subject, undecided } from './callout-texts.ts';
import { addressesOf, certificatesOf, hostFieldOf } from './remote-services.ts';
import type { Delivery } from './routing.ts';
import type { Runtime } from './runtime.ts';

/** An address as it was routed. */
export interface CalloutRoute {
  readonly recipient: string;
  readonly facts: AddressFacts | undefined;
  /** A router that only verifies may have none. */
  readonly transport: TransportInstance | undefined;
  readonly hosts: readonly Host[];
  /** What becomes of the address, when nothing else does. */
  readonly whole?: Delivery | undefined;
}

export interface CalloutPurpose {
  readonly subject: Subject;
  readonly options: CalloutOptions;
  /** What MAIL names. */
  readonly sender: string;
  /** The connection is kept for the next recipient, or for the message. */
  readonly keeps: boolean;
  /** Octets that MAIL announces; 0 for nothing. */
  readonly size?: number | undefined;
  /** Sends what was answered so far, since asking may take its time. */
  flush(): Promise<void>;
}

/** A connection kept for the next recipient, with the transaction that was begun over it. */
interface Held {
  readonly connection: CalloutConnection;
  readonly key: string;
  readonly host: ReachableHost;
  readonly target: CalloutTarget;
  readonly sender: string;
  readonly recipients: string[];
  /** What becomes of each of them. */
  readonly wholes: (Delivery | undefined)[];
}

/** A transaction that was begun, and the deliveries that it is to carry out. */
export interface BegunDeliveries {
  readonly begun: BegunTransaction;
  readonly deliveries: readonly Delivery[];
}

/** Nothing that can be said in a line of SMTP. */
const unspeakable = /[\0\r\n]/;

/** The callouts of one session. */
export class Callouts {
  readonly #runtime: Runtime;
  readonly #context: Context;
  readonly #services: Omit<ConnectionServices, 'raise'>;
  #held: Held | undefined;

  constructor(runtime: Runtime, context: Context) {
    const { config, logs, resolver } = runtime;
    this.#runtime = runtime;
    this.#context = context;
    this.#services = {
      authenticators: config.authenticators,
      addressesOf: (name, how) => addressesOf(name, how, resolver),
      certificatesOf: (name) => certificatesOf(name, resolver),
      hostField: (host) => hostFieldOf(host, (selector) => logs.selects(selector)),
      log: (text) => logs.main(text),
    };
  }

  /** Lets go of a connection that was held. */
  release(): void {
    this.#held?.connection.session.quit();
    this.#held = undefined;
  }

  /** Recipients of the transaction that is held. */
  get heldRecipients(): number {
    return this.#held?.recipients.length ?? 0;
  }

  /** What is held, with the deliveries that it is; nothing when it is not all that becomes of its recipients. */
  async takeDeliveries(): Promise<BegunDeliveries | undefined> {
    const deliveries = (this.#held?.wholes ?? []).filter((delivery) => delivery !== undefined);
    if (deliveries.length === 0 || deliveries.length !== this.heldRecipients) return undefined;
    const begun = await this.takeHeld();
    return begun && { begun, deliveries };
  }

  /** What is held, for the delivery. */
  async takeHeld(): Promise<BegunTransaction | undefined> {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return undefined;
    const { target, host, connection, sender, recipients } = held;
    return { connection: await target.hold(host, connection), sender, recipients };
  }

  async ask(route: CalloutRoute, purpose: CalloutPurpose): Promise<CalloutResult> {
    const { decisions } = this.#context;
    if (decisions.listening) decisions.begin('verify', `callout for ${route.recipient}`);
    let result: CalloutResult | undefined;
    try {
      result = await this.#ask(route, purpose);
      return result;
    } finally {
      if (decisions.listening) {
        const detail =
          result === undefined || result.outcome === 'ok' ? undefined : result.message || result.publicMessage;
        decisions.end(result?.outcome ?? 'error', detail);
      }
    }
  }

  async #ask(route: CalloutRoute, purpose: CalloutPurpose): Promise<CalloutResult> {
    const { transport, hosts } = route;
    const isLocal = transport !== undefined && transport.worker.style === 'local';
    if (isLocal && hosts.length === 0) return { outcome: 'ok', by: 'nobody' };
    const cache = this.#cache(route, purpose);
    const found = cache.look();
    if (this.#context.decisions.listening) {
      this.#context.decisions.step(
        'hints_lookup',
        'callout cache',
        found === undefined ? 'nothing that decides' : 'found',
      );
    }
    if (found !== undefined) {
      if (purpose.subject === 'recipient') this.release();
      return found;
    }
    if (isLocal) {
      const what = `Exim configuration error for callout transport '${transport.name}': ${transport.driver.name} is non-smtp`;
      this.#runtime.logs.write(['main', 'panic'], what);
    }
    const nobody = undecided(route.recipient, purpose.subject, '', '', this.#withDetails);
    const callout = transport?.worker.style === 'remote' ? transport.worker.callout : undefined;
    if (transport === undefined || callout === undefined) return nobody;
    if ([route.recipient, purpose.sender].some((text) => unspeakable.test(text))) return nobody;
    const context: Context = { ...this.#context, address: route.facts, results: freshResults(), delivery: undefined };
    const { timeout, connectTimeout } = purpose.options;
    const request = { transport: transport.name, hosts, returnPath: purpose.sender, context, timeout, connectTimeout };
    const target = await callout(request, this.#servicesFor(transport));
    if ('unusable' in target) return nobody;
    if (target.hosts.length === 0) return { outcome: 'ok', by: 'nobody' };
    await purpose.flush();
    const findings: Findings = { address: undefined, domain: new Map() };
    const questions = await this.#questions(route, purpose, cache);
    const result = await this.#askHosts(target, route, questions, purpose, findings);
    cache.note(findings);
    return result;
  }

  /** With the events of connections, for those who wait for them; few do. */
  #servicesFor({ common }: TransportInstance): ConnectionServices {
    const { event_action: action } = common;
    const raised = async (...[event, context]: Parameters<ConnectionServices['raise']>): Promise<string> =>
      (await import('./events.ts')).raise(action, event, this.#runtime, context);
    return { ...this.#services, hasEvents: action !== undefined, raise: action === undefined ? () => '' : raised };
  }

  get #withDetails(): boolean {
    return this.#runtime.config.main.smtp_return_error_details;
  }

  #cache(route: CalloutRoute, { options, sender, subject }: CalloutPurpose): CalloutCache {
    return new CalloutCache(this.#runtime, route.recipient, sender, options, subject);
  }

  async #questions(route: CalloutRoute, purpose: CalloutPurpose, cache: CalloutCache): Promise<CalloutQuestions> {
    const { options, sender } = purpose;
    return {
      sender,
      size: purpose.size ?? 0,
      address: route.recipient,
      domain: splitAddress(route.recipient).domain,
      random: cache.asksRandom ? await this.#randomLocalPart() : undefined,
      postmasterSender: cache.asksPostmaster ? options.postmasterSender : undefined,
      fullPostmaster: options.fullPostmaster,
    };
  }

  async #randomLocalPart(): Promise<string | undefined> {
    const { config, logs } = this.#runtime;
    const expansion = await config.main.callout_random_local_part.expand(this.#context);
    if (!expansion.ok) {
      logs.write(['main', 'panic'], `failed to expand callout_random_local_part: ${expansion.message}`);
      return undefined;
    }
    const { value } = expansion.text;
    return unspeakable.test(value) ? undefined : value;
  }

  async #askHosts(
    target: CalloutTarget,
    route: CalloutRoute,
    questions: CalloutQuestions,
    purpose: CalloutPurpose,
    findings: Findings,
  ): Promise<CalloutResult> {
    const { options, subject } = purpose;
    const hosts = target.hosts.map(({ address, port }) => `${address}:${port}`);
    const key = [route.transport?.name, questions.sender, ...hosts].join(' ');
    const again = await this.#askHeld(key, route, questions, purpose, findings);
    if (again !== undefined) return again;
    const begun = clock.elapsed();
    let last: Unhappy | undefined;
    for (const host of target.hosts) {
      if (last !== undefined && clock.elapsed() - begun >= options.longest * 1000) break;
      if (this.#context.acl) this.#context.acl.calloutAddress = `[${host.address}]:${host.port}`;
      const result = await this.#askHost(target, host, key, route, questions, purpose, findings);
      if (result.outcome === 'ok') return result;
      if (result.outcome === 'fail') return refused(host, result, subject);
      last = result;
    }
    const [only] = target.hosts;
    const detail =
      target.hosts.length > 1 || only === undefined ? '' : `${only.name} [${only.address}] : ${last?.reason}`;
    const failure = last?.failure ?? '';
    const undone = undecided(questions.address, subject, failure, detail, this.#withDetails);
    return failure === '' ? { ...undone, response: last?.response } : undone;
  }

  async #askHost(
    target: CalloutTarget,
    host: ReachableHost,
    key: string,
    route: CalloutRoute,
    questions: CalloutQuestions,
    purpose: CalloutPurpose,
    findings: Findings,
  ): Promise<TalkResult> {
    const connection = await target.open(host);
    if ('outcome' in connection) return unopened(connection);
    const talk = new Talk(connection, questions, findings);
    const result = await talk.run(() => target.open(host));
    const { random, postmasterSender } = questions;
    const { sender } = purpose.options;
    const mayHold =
      purpose.keeps && sender === 'of the message' && random === undefined && postmasterSender === undefined;
    if (result.outcome === 'ok' && mayHold) {
      const { sender, address } = questions;
      this.#held = {
        connection: talk.connection,
        key,
        host,
        target,
        sender,
        recipients: [address],
        wholes: [route.whole],
      };
    } else await target.close(host, talk.connection);
    return result;
  }

  /** Asks over the connection that an earlier recipient left, if it goes to the same hosts; nothing when it is of no use. */
  async #askHeld(
    key: string,
    route: CalloutRoute,
    questions: CalloutQuestions,
    { subject, keeps }: CalloutPurpose,
    findings: Findings,
  ): Promise<CalloutResult | undefined> {
    const held = this.#held;
    if (held === undefined || subject === 'sender') return undefined;
    const fits = held.key === key && keeps && questions.random === undefined;
    if (fits && questions.postmasterSender === undefined && held.connection.session.usable) {
      const result = await new Talk(held.connection, questions, findings).another();
      if (result.outcome === 'ok') {
        held.recipients.push(questions.address);
        held.wholes.push(route.whole);
        return result;
      }
      this.release();
      return result.outcome === 'fail' ? refusedNext(held.host, result) : undefined;
    }
    this.release();
    return undefined;
  }
}
