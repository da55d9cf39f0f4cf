/**
 * Beginning before the server has greeted (PIPECONNECT; Exim spec 30.4, hosts_pipe_connect): what it offered last time is
 * taken for granted, and EHLO goes out together with what follows it. When the answer shows that it is another server
 * now, everything that was said is void: the connection is given up before any message was sent, and another is made in
 * the usual way. So a wrong record costs time and never mail.
 */

import type { Offers } from '../hints/offer-hints.ts';
import type { Extensions } from '../smtp/client/extensions.ts';
import { type Failure, isFailure } from '../smtp/client/failure.ts';
import type { ClientSession } from '../smtp/client/session.ts';
import { replyText } from '../smtp/reply.ts';
import { usesProxies } from './smtp-proxies.ts';
import { isListed, type ReachableHost, raiseAt, type SmtpSetup } from './smtp-run.ts';

/** Whether a server can be spoken to before it has answered. */
const allowsIt = (offers: Extensions | undefined): offers is Extensions =>
  offers !== undefined && offers.has('PIPECONNECT') && offers.has('PIPELINING');

/** What may change without any harm: how much a server takes, and whether it can be spoken to early. */
const unimportant: ReadonlySet<string> = new Set(['SIZE', 'PIPECONNECT']);

function isTheSame(one: Extensions, other: Extensions): boolean {
  const important = (offers: Extensions): string =>
    JSON.stringify([...offers].filter(([name]) => !unimportant.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
  return important(one) === important(other);
}

/** One connection's part in it. */
export class EarlyTalk {
  readonly #run: SmtpSetup;
  readonly #host: ReachableHost;
  readonly #remembered: Offers | undefined;
  readonly #heard: { clear?: Extensions; tls?: Extensions } = {};
  /** What was said last was said ahead. */
  #isAhead = false;

  private constructor(run: SmtpSetup, host: ReachableHost, remembered: Offers | undefined) {
    this.#run = run;
    this.#host = host;
    this.#remembered = remembered;
  }

  /** Nothing when it is not to be, with this host; `mayBegin` is whether what is remembered is made use of. */
  static async with(run: SmtpSetup, host: ReachableHost, mayBegin: boolean): Promise<EarlyTalk | undefined> {
    const { options, services, protocol } = run;
    const { hosts_pipe_connect: wanted, hosts_avoid_esmtp: noEsmtp, hosts_avoid_pipelining: noPipelining } = options;
    if (wanted === undefined || services.offers === undefined) return undefined;
    if (protocol !== 'smtp' || options.protocol === 'smtps' || usesProxies(run)) return undefined;
    if (!(await isListed(run, wanted, host))) return undefined;
    if ((await isListed(run, noEsmtp, host)) || (await isListed(run, noPipelining, host))) return undefined;
    return new EarlyTalk(run, host, mayBegin ? services.offers.get(host) : undefined);
  }

  /** Whether the host is known well enough, in clear or over TLS. */
  knows(phase: keyof Offers): boolean {
    return allowsIt(this.#remembered?.clear) && allowsIt(this.#remembered?.[phase]);
  }

  /** Whether the session goes on ahead of the server's answers, and the server still likes that. */
  isUsed({ extensions }: ClientSession): boolean {
    return this.#isAhead && extensions.has('PIPECONNECT');
  }

  /** Introduces this host ahead of all answers. */
  introduce(session: ClientSession, name: string, phase: keyof Offers): void {
    const remembered = this.#remembered?.[phase];
    if (remembered === undefined) return;
    this.#isAhead = true;
    session.introduceAhead(name, remembered, async () => {
      const failure = await this.#hear(session, name, phase);
      if (failure !== undefined) this.#run.services.offers?.forget(this.#host);
      return failure;
    });
  }

  /** Notes what the server has offered to an introduction that waited for its answer. */
  heard({ extensions }: ClientSession, phase: keyof Offers): void {
    this.#isAhead = false;
    this.#heard[phase] = extensions;
  }

  /** Remembers what was heard for the next time, or forgets the server, which would not have it. */
  conclude(): void {
    const offers = this.#run.services.offers;
    const { clear, tls } = { ...this.#remembered, ...this.#heard };
    if (clear === undefined || Object.keys(this.#heard).length === 0) return;
    if (allowsIt(clear)) offers?.note(this.#host, { clear, tls });
    else offers?.forget(this.#host);
  }

  async #hear(session: ClientSession, name: string, phase: keyof Offers): Promise<Failure | undefined> {
    const taken = session.extensions;
    const refused: Failure = { stage: 'hello', after: `EHLO ${name}`, pipelined: true, kind: 'closed' };
    if (phase === 'clear') {
      const greeting = await session.greeting();
      if (isFailure(greeting)) return greeting;
      if ((await raiseAt(this.#run, this.#host, 'smtp:connect', replyText(greeting))) !== '') return refused;
    }
    const answer = await session.helloAnswer(name);
    if (isFailure(answer)) return answer;
    if (phase === 'clear') await raiseAt(this.#run, this.#host, 'smtp:ehlo', replyText(answer));
    if (!isTheSame(taken, session.extensions)) return refused;
    if (!allowsIt(session.extensions)) this.#run.services.offers?.forget(this.#host);
    return undefined;
  }
}
