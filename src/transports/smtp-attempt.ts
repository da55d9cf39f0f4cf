/**
 * Sends the message to one host, for all recipients that still wait for it: in several transactions, and over several
 * connections one after the other, where the options limit them (Exim spec 30.1, 49.2).
 */

import type { TlsFacts } from '../net/tls.ts';
import { type Failure, isFailure } from '../smtp/client/failure.ts';
import {
  type Envelope,
  type MessageSource,
  type RecipientAnswer,
  type Transaction,
  transact,
} from '../smtp/client/transaction.ts';
import { replyText } from '../smtp/reply.ts';
import { Unprepared } from './expanding.ts';
import { FilterFailure, filteredSource, filterResult } from './filtered-content.ts';
import { messageSource, readerOf } from './message-source.ts';
import { filteredMessage, type SignableMessage, spooledMessage } from './signable-message.ts';
import { addressForm } from './smtp-addresses.ts';
import { arcSetFor } from './smtp-arc.ts';
import { forNextMessage, type OpenConnection, openConnection } from './smtp-connection.ts';
import { signaturesFor } from './smtp-dkim.ts';
import { endRefusal, recipientRefusal, type Verdict, verdictOf } from './smtp-failure.ts';
import { type BegunTransaction, identityFor, isKeepable, KeptConnection } from './smtp-kept.ts';
import { mailParameters, recipientParameters } from './smtp-parameters.ts';
import { contextOf, type ReachableHost, type Results, raiseAt, type SmtpRun } from './smtp-run.ts';
import {
  type DeliveryAddress,
  errorCodes,
  type FilterCommand,
  type RemoteError,
  type RemoteResult,
} from './transport.ts';

export interface Attempt {
  /** Addresses that another host may be tried for: those that wait, and those that this host would not even hear. */
  readonly open: readonly DeliveryAddress[];
  /** What to note about the host: that it works, or what went wrong with it or the message; nothing to note otherwise. */
  readonly verdict: Verdict | 'success' | undefined;
  /** Whether the host could be connected to. */
  readonly connected: boolean;
}

/** How a host is reached. */
export interface Way {
  readonly host: ReachableHost;
  /** The address that connections come from. */
  readonly from: string | undefined;
  /** The connection of an earlier message, to begin with. */
  readonly over?: KeptConnection | undefined;
  /** What a callout has begun for these addresses. */
  readonly begun?: BegunTransaction | undefined;
  /** Called when there is no connection any more (serialize_hosts). */
  release(): void;
}

/**
 * Enters what becomes of each address into `results`, at once, so that nothing is forgotten that was delivered. In the end
 * the connection is kept for messages that wait for the host, or closed.
 */
export async function attempt(
  run: SmtpRun,
  way: Way,
  addresses: readonly DeliveryAddress[],
  results: Results,
): Promise<Attempt> {
  const work = new AttemptWork(run, way, addresses, results);
  try {
    const found = await work.deliver();
    if (found.verdict === 'success') await work.offer();
    return found;
  } finally {
    await work.end();
  }
}

class AttemptWork {
  readonly #run: SmtpRun;
  readonly #host: ReachableHost;
  readonly #from: string | undefined;
  readonly #addresses: readonly DeliveryAddress[];
  readonly #results: Results;
  /** Addresses whose result is about the host alone. */
  readonly #unheard = new Set<DeliveryAddress>();
  #connection: OpenConnection | undefined;
  #release: () => void;
  /** Messages that were sent over the connection. */
  #sent: number;
  /** Those among them that were sent before this one. */
  #earlier: number;
  #transactions = 0;
  /** What is being sent, when it was to be signed. */
  #signable: SignableMessage | undefined;
  /** The next transaction was begun by a callout. */
  #isBegun: boolean;
  /** Nothing has shown yet that the host is not what it was taken for. */
  #mayBeginEarly = true;
  /** The last transaction was of use: somebody got the message, or nobody ever will. */
  #wasGood = true;

  constructor(run: SmtpRun, way: Way, addresses: readonly DeliveryAddress[], results: Results) {
    this.#run = run;
    this.#host = way.host;
    this.#from = way.from;
    this.#addresses = addresses;
    this.#results = results;
    const taken = (way.over ?? way.begun?.connection)?.take();
    this.#connection = taken?.connection;
    this.#release = way.over === undefined ? way.release : (taken?.release ?? way.release);
    this.#isBegun = way.begun !== undefined;
    this.#sent = way.over?.sent ?? 0;
    this.#earlier = this.#sent;
  }

  async deliver(): Promise<Attempt> {
    const addresses = this.#addresses;
    const [run, host, earlier] = [this.#run, this.#host, this.#connection];
    if (earlier !== undefined) this.#connection = await forNextMessage(run, host, earlier);
    const most = run.request.allOrNothing ? 0 : run.options.max_rcpt;
    const step = most > 0 ? most : addresses.length;
    for (let at = 0; at < addresses.length; ) {
      const connection = await this.#connect();
      if ('error' in connection) {
        this.#settle(addresses.slice(at), connection, connection.connected);
        return this.#end(connection, connection.connected);
      }
      const group = addresses.slice(at, at + step);
      const done = await this.#transact(connection, group);
      if ('error' in done) {
        this.#settle(addresses.slice(at), done, true);
        return this.#end(done);
      }
      const { answers, failure } = done;
      if (connection.session.misjudged) {
        this.#mayBeginEarly = false;
        await this.#hangUp();
        continue;
      }
      const undecided = group.filter((address, i) => !this.#record(address, answers[i], connection));
      const outcomes = group.map((address) => this.#results.get(address)?.outcome);
      this.#wasGood = outcomes.includes('delivered') || !outcomes.includes('deferred');
      if (failure !== undefined) {
        const verdict = verdictOf(failure);
        const open = [...undecided, ...addresses.slice(at + step)];
        if (verdict.of === 'recipient') {
          this.#settlePatiently(open, verdict, group[failure.recipient ?? -1]);
          return this.#end(undefined);
        }
        this.#settle(open, verdict, true);
        return this.#end(verdict);
      }
      this.#sent++;
      this.#transactions++;
      at += step;
    }
    return this.#end('success');
  }

  #end(verdict: Attempt['verdict'], connected = true): Attempt {
    const isOpen = (address: DeliveryAddress): boolean =>
      this.#unheard.has(address) || this.#results.get(address)?.outcome === 'deferred';
    return { open: this.#addresses.filter(isOpen), verdict, connected };
  }

  /** Keeps the connection when a message waits for the host and may follow over it. */
  async offer(): Promise<void> {
    const [run, host, connection, sent] = [this.#run, this.#host, this.#connection, this.#sent];
    const { connection_max_messages: most } = run.options;
    if (connection === undefined || !connection.session.usable || !this.#wasGood) return;
    if ((most > 0 && sent >= most) || !run.services.isAwaited(host)) return;
    if (!(await isKeepable(run, host, connection))) return;
    if (connection.session.needsReset && isFailure(await connection.session.reset())) return;
    const identity = await identityFor(run, host, connection);
    const release = this.#release;
    this.#connection = undefined;
    this.#release = () => undefined;
    run.services.keep(new KeptConnection(run.request.transport, host, connection, { sent, identity, release }));
  }

  async end(): Promise<void> {
    await this.#hangUp();
    this.#release();
  }

  /** Says goodbye; the answer is not waited for. */
  async #hangUp(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.session.quit();
    await raiseAt(this.#run, this.#host, 'tcp:close');
  }

  /** The connection there is, made fit for another message, or a new one. */
  async #connect(): Promise<OpenConnection | (Verdict & { readonly connected: boolean })> {
    const { connection_max_messages: most } = this.#run.options;
    const known = this.#connection;
    if (known !== undefined) {
      const { session } = known;
      // what goes over the connection of an earlier message goes over it whole
      if (session.usable && (most === 0 || this.#sent - this.#earlier < most)) {
        const reset = session.needsReset ? await session.reset() : undefined;
        if (reset === undefined || !isFailure(reset)) return known;
        if (reset.kind !== 'refused') return { ...verdictOf(reset), connected: true };
      }
      await this.#hangUp();
    }
    this.#sent = 0;
    this.#earlier = 0;
    const opened = await openConnection(this.#run, this.#host, this.#from, this.#mayBeginEarly);
    if (!('error' in opened)) this.#connection = opened;
    return opened;
  }

  async #transact(connection: OpenConnection, group: readonly DeliveryAddress[]): Promise<Transaction | Verdict> {
    const { session, pipelining, chunking, sender, tls } = connection;
    const prdr = connection.prdr && group.length > 1;
    const { options, request, protocol } = this.#run;
    const quota = protocol === 'lmtp' && options.lmtp_ignore_quota && session.extensions.has('IGNOREQUOTA');
    const run = await this.#runOver(connection);
    if ('outcome' in run) return run;
    const form = await addressForm(run, this.#host, session.extensions);
    if ('outcome' in form) return form;
    const envelope: Envelope = {
      sender: form.write(request.returnPath),
      parameters: [
        ...mailParameters(run, session.extensions, group, { sender, isUtf8: form.isUtf8 }),
        ...(prdr ? ['PRDR'] : []),
      ],
      recipients: group.map((address) => ({
        address: form.write(address.recipient),
        parameters: [...(quota ? ['IGNOREQUOTA'] : []), ...recipientParameters(address, session.extensions)],
      })),
    };
    const settings = {
      pipelining,
      chunking,
      prdr,
      begun: this.#isBegun,
      allOrNothing: request.allOrNothing,
      dataTimeout: options.data_timeout * 1000,
      finalTimeout: options.final_timeout * 1000,
    };
    this.#isBegun = false;
    const filter = await this.#filterFor(run, group, tls);
    if (filter !== undefined && 'error' in filter) return filter;
    const filtered = filter && filteredSource(filter, readerOf(run.request.content));
    try {
      const source = await this.#source(run, filtered);
      return 'error' in source ? source : await transact(session, envelope, source, settings);
    } catch (error) {
      if (!(error instanceof FilterFailure)) throw error;
      // as seen from the host, we fell silent in the middle of the message
      if (error.timedOut) return { answers: [], failure: silence, written: 0 };
      return { outcome: 'deferred', of: 'message', error: { ...filterResult(error, ''), panic: false }, quiet: true };
    } finally {
      filtered?.close();
      this.#signable?.close();
      this.#signable = undefined;
    }
  }

  /** What is known once there is a connection: its local end, and the message as this host gets it. */
  async #runOver({ local, tls }: OpenConnection): Promise<SmtpRun | Verdict> {
    const run: SmtpRun = { ...this.#run, local };
    const { request } = run;
    const content = await request.contentAt?.(contextOf(run, this.#host, tls));
    if (content === undefined) return run;
    if ('headers' in content) return { ...run, request: { ...request, content } };
    const message = `failed to expand headers_add or headers_remove: ${content.message}`;
    return { outcome: 'deferred', of: 'message', error: { code: errorCodes.headersFailed, message }, quiet: true };
  }

  /** The message as it is sent: signed when that is asked for, or why it cannot be. */
  async #source(run: SmtpRun, filtered: MessageSource | undefined): Promise<MessageSource | Verdict> {
    const { options, request } = run;
    if (options.dkim_domain === undefined && options.arc_sign === undefined) {
      return filtered ?? messageSource(readerOf(request.content), request.common);
    }
    const message =
      filtered === undefined
        ? spooledMessage(request.content, request.common)
        : await filteredMessage(filtered, request);
    this.#signable = message;
    const lines = await signaturesFor(run, this.#host, message);
    if (typeof lines !== 'string') return lines;
    return message.withLines((await arcSetFor(run, this.#host, message, lines)) + lines);
  }

  /** The command that the message runs through on its way to these recipients, or why there is none to be had. */
  async #filterFor(
    run: SmtpRun,
    addresses: readonly DeliveryAddress[],
    tls: TlsFacts | undefined,
  ): Promise<FilterCommand | Verdict | undefined> {
    const { request, filter } = run;
    if (filter === undefined) return undefined;
    try {
      return await filter.prepare({ ...request, addresses, context: contextOf(run, this.#host, tls) });
    } catch (error) {
      if (!(error instanceof Unprepared) || error.result.outcome === 'delivered') throw error;
      return { outcome: error.result.outcome, of: 'message', error: error.result };
    }
  }

  /** Enters what the host said about a recipient, if it said anything. */
  #record(address: DeliveryAddress, answer: RecipientAnswer | undefined, connection: OpenConnection): boolean {
    if (answer === undefined || answer.state === 'undecided') return false;
    this.#results.set(address, this.#resultOf(address, answer, connection));
    return true;
  }

  #resultOf(
    { recipient }: DeliveryAddress,
    answer: RecipientAnswer & { readonly state: 'delivered' | 'refused' },
    { session, local, pipelining, early, chunking, ...connection }: OpenConnection,
  ): RemoteResult {
    const host = this.#host;
    const tls = this.#shownTls;
    const authenticator = this.#earlier > 0 ? undefined : connection.authenticator;
    const continued = this.#sent > 0;
    if (answer.state === 'delivered') {
      const own = answer.own === undefined ? '' : `${replyText(answer.own)}\n`;
      const confirmation = `${own}${replyText(answer.reply)}`;
      const transaction = this.#transactions;
      const used = {
        pipelining,
        early: early?.isUsed(session) === true,
        chunking,
        speaksDsn: session.extensions.has('DSN'),
        prdr: own !== '',
      };
      return { outcome: 'delivered', host, confirmation, local, tls, authenticator, continued, transaction, ...used };
    }
    const atEnd = answer.stage === 'end';
    const { outcome, error } = atEnd
      ? endRefusal(answer.reply, this.#run.protocol === 'lmtp' ? 'LMTP' : 'PRDR')
      : recipientRefusal(recipient, answer.reply);
    const fromSender = !atEnd && this.#run.options.address_retry_include_sender;
    const retry = fromSender ? ('recipient from sender' as const) : ('recipient' as const);
    const about = { refusedAtRcpt: !atEnd, retry: outcome === 'deferred' ? retry : undefined };
    return { outcome, ...error, ...about, host, local, tls, continued };
  }

  /** The log does not tell all about a connection that was made for an earlier message (Exim spec 53.7). */
  get #shownTls(): TlsFacts | undefined {
    const tls = this.#connection?.tls;
    return tls === undefined || this.#earlier === 0 ? tls : { ...tls, peerDn: '' };
  }

  /** Gives a result to all who have none yet. */
  #settle(addresses: readonly DeliveryAddress[], { outcome, of, error }: Verdict, connected: boolean): void {
    const common: RemoteError = {
      ...error,
      host: connected ? this.#host : undefined,
      local: connected ? this.#connection?.local : undefined,
      tls: connected ? this.#shownTls : undefined,
      continued: this.#sent > 0,
    };
    for (const address of addresses) {
      this.#results.set(address, { outcome, ...common });
      if (of === 'host') this.#unheard.add(address);
    }
  }

  /** After a recipient the host went silent: all wait, but only he is to blame, and those behind him were never named. */
  #settlePatiently(addresses: readonly DeliveryAddress[], verdict: Verdict, silent: DeliveryAddress | undefined): void {
    const behind = silent === undefined ? 0 : addresses.indexOf(silent) + 1;
    this.#settle(addresses.slice(0, behind), verdict, true);
    this.#settle(addresses.slice(behind), verdict, false);
    const result = silent && this.#results.get(silent);
    if (silent === undefined || result === undefined || result.outcome === 'delivered') return;
    this.#results.set(silent, { ...result, retry: 'recipient' });
  }
}

const silence: Failure = { stage: 'block', after: 'sending data block', kind: 'timeout', pipelined: false };
