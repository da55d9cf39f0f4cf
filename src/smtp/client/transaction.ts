/**
 * One message over a session: MAIL, RCPT, DATA and the message, with the commands sent together where the server allows
 * it (RFC 2920), and over LMTP with one reply per recipient at the end (RFC 2033 §4.2).
 *
 * It promises that a recipient is `delivered` only when the server said so after the whole message was sent; a message
 * that cannot be read to its end is never ended with a dot.
 */

import type { Eventual } from '../../lib/eventual.ts';
import { ChunkEncoder } from '../chunk-stream.ts';
import { DataEncoder } from '../data-stream.ts';
import { type Reply, replyClass } from '../reply.ts';
import { type Failure, isFailure, type Waiting } from './failure.ts';
import type { ClientSession } from './session.ts';

export interface Envelope {
  readonly sender: string;
  /** Parameters of MAIL and of each RCPT, such as `SIZE=1000`. */
  readonly parameters: readonly string[];
  readonly recipients: readonly { readonly address: string; readonly parameters: readonly string[] }[];
}

/** The message, read piece by piece; nothing at its end. Its lines end with LF. */
export interface MessageSource {
  read(): Eventual<Buffer | undefined>;
}

export interface TransactionSettings {
  /** Sends commands without waiting for the reply to the one before; the server must have offered it. */
  readonly pipelining: boolean;
  /** Sends the message by BDAT (RFC 3030); the server must have offered it. */
  readonly chunking?: boolean | undefined;
  /** The server may answer for each recipient behind the message (PRDR); MAIL must ask for it. */
  readonly prdr?: boolean | undefined;
  /** The message is sent only when every recipient was accepted. */
  readonly allOrNothing?: boolean | undefined;
  /** MAIL and RCPT were said before, and consented to. */
  readonly begun?: boolean | undefined;
  /** Milliseconds that a piece of the message may take to be sent, and the reply to the whole message to come. */
  readonly dataTimeout: number;
  readonly finalTimeout: number;
}

export type RecipientAnswer =
  /** `own` is the answer for this recipient, in front of the one for all (PRDR). */
  | { readonly state: 'delivered'; readonly reply: Reply; readonly own?: Reply | undefined }
  /** Refused by itself: after its RCPT, or at the end of an LMTP transaction or of one with PRDR. */
  | { readonly state: 'refused'; readonly stage: 'recipient' | 'end'; readonly reply: Reply }
  /** The failure of the transaction is its, too. */
  | { readonly state: 'undecided' };

export interface Transaction {
  /** For each recipient, in order. */
  readonly answers: readonly RecipientAnswer[];
  /** Why the transaction ended before its end; when there is none, nobody is undecided. */
  readonly failure: Failure | undefined;
  /** Octets of the message that were sent, the final dot included. */
  readonly written: number;
}

/** Commands that are sent together at most: the server must be able to take them while it answers the ones before. */
const together = 100;

/** The code that announces them. */
const eachFollows = 353;

const undecided: RecipientAnswer = { state: 'undecided' };

/** Transfers a message; what `source` throws ends the connection and is thrown on. */
export async function transact(
  session: ClientSession,
  envelope: Envelope,
  source: MessageSource,
  settings: TransactionSettings,
): Promise<Transaction> {
  const work = new Work(session, envelope, source, settings);
  try {
    const failure = await work.run();
    return { answers: work.answers, failure, written: work.written };
  } catch (error) {
    session.close();
    throw error;
  }
}

const withParameters = (command: string, parameters: readonly string[]): string => [command, ...parameters].join(' ');

const data = (pipelined: boolean): Waiting => ({ stage: 'data', after: 'DATA', pipelined });

class Work {
  readonly answers: RecipientAnswer[];
  written = 0;
  readonly #session: ClientSession;
  readonly #source: MessageSource;
  readonly #settings: TransactionSettings;
  readonly #commands: readonly Waiting[];
  /** Why nobody is to have the message, when one recipient was refused and all were wanted. */
  #veto: Failure | undefined;

  constructor(session: ClientSession, envelope: Envelope, source: MessageSource, settings: TransactionSettings) {
    const { sender, parameters, recipients } = envelope;
    // of what was begun only DATA is left, which goes alone
    const pipelined = settings.pipelining && !settings.begun;
    this.answers = recipients.map(() => undecided);
    this.#session = session;
    this.#source = source;
    this.#settings = settings;
    const last: readonly Waiting[] = settings.chunking || settings.allOrNothing ? [] : [data(pipelined)];
    const envelopeCommands: readonly Waiting[] = [
      { stage: 'mail', after: withParameters(`MAIL FROM:<${sender}>`, parameters), pipelined },
      ...recipients.map((each, recipient): Waiting => {
        return {
          stage: 'recipient',
          after: withParameters(`RCPT TO:<${each.address}>`, each.parameters),
          pipelined,
          recipient,
        };
      }),
    ];
    this.#commands = [...(settings.begun ? [] : envelopeCommands), ...last];
  }

  async run(): Promise<Failure | undefined> {
    this.#session.needsReset = true;
    const step = this.#settings.pipelining ? together : 1;
    for (let from = 0; from < this.#commands.length; from += step) {
      const failure = await this.#exchange(this.#commands.slice(from, from + step));
      if (failure !== undefined) return this.#isSettled ? undefined : failure;
    }
    if (this.#veto !== undefined) return this.#isSettled ? undefined : this.#veto;
    if (this.#isSettled) return undefined;
    if (this.#settings.chunking) return this.#transferChunks();
    return this.#settings.allOrNothing ? this.#exchange([data(false)]) : undefined;
  }

  get #isSettled(): boolean {
    return this.answers.every(({ state }) => state !== 'undecided');
  }

  /** Sends some of the commands and deals with their replies. */
  async #exchange(commands: readonly Waiting[]): Promise<Failure | undefined> {
    const [first] = commands;
    const { pipelining } = this.#settings;
    if (first === undefined || (first.stage === 'data' && !pipelining && this.#isSettled)) return undefined;
    const unsent = await this.#session.send(
      commands.map(({ after }) => after),
      first,
    );
    if (unsent !== undefined) return unsent;
    for (const waiting of commands) {
      const answer = await this.#session.reply(waiting);
      if (isFailure(answer)) return answer;
      const failure = await this.#judge(answer, waiting);
      if (failure !== undefined) {
        // replies to the commands behind it are still to come, and nobody is interested
        if (waiting.stage === 'mail' && pipelining) this.#session.close();
        return failure;
      }
    }
    return undefined;
  }

  async #judge(reply: Reply, waiting: Waiting): Promise<Failure | undefined> {
    const kind = replyClass(reply);
    switch (waiting.stage) {
      case 'recipient':
        if (kind === 2) return undefined;
        this.answers[waiting.recipient ?? -1] = { state: 'refused', stage: 'recipient', reply };
        if (this.#settings.allOrNothing) this.#veto ??= { ...waiting, kind: 'refused', reply };
        return undefined;
      case 'data':
        if (this.#isSettled) return kind === 3 ? this.#withdraw(waiting) : undefined;
        return kind === 3 ? this.#transfer() : { ...waiting, kind: 'refused', reply };
      default:
        return kind === 2 ? undefined : { ...waiting, kind: 'refused', reply };
    }
  }

  /**
   * DATA was sent before it was known that nobody wants the message: an empty one has to follow (RFC 2920 §3.1). An LMTP
   * server would then owe no reply at all, so that nobody could tell when it is ready again.
   */
  async #withdraw(waiting: Waiting): Promise<Failure | undefined> {
    if (this.#session.settings.protocol === 'lmtp') {
      this.#session.close();
      return undefined;
    }
    const unsent = await this.#session.send(['.'], waiting);
    if (unsent !== undefined) return unsent;
    const answer = await this.#session.reply(waiting);
    return isFailure(answer) ? answer : undefined;
  }

  /** Sends the message and hears what became of it. */
  async #transfer(): Promise<Failure | undefined> {
    const { dataTimeout } = this.#settings;
    this.#session.settings.trace?.('>>', '(writing message)', true);
    const encoder = new DataEncoder();
    let held: Buffer | undefined;
    for (;;) {
      const piece = await this.#source.read();
      if (piece === undefined) break;
      const failure = held && (await this.#send(held, dataTimeout));
      if (failure !== undefined) return this.#interrupted(failure);
      held = encoder.encode(piece);
    }
    const early = await this.#session.early(this.#waiting('end'));
    if (early !== undefined) return early;
    this.#session.settings.trace?.('>>', '.', true);
    const end = Buffer.from(encoder.end(), 'latin1');
    const failure = await this.#send(held === undefined ? end : Buffer.concat([held, end]), dataTimeout);
    return failure === undefined ? this.#conclude() : this.#interrupted(failure);
  }

  /** Sends the message by BDAT, one chunk for each piece of it; the last is known by its successor that does not come. */
  async #transferChunks(): Promise<Failure | undefined> {
    const encoder = new ChunkEncoder();
    let held: Buffer | undefined;
    for (;;) {
      const piece = await this.#source.read();
      if (piece === undefined) break;
      const failure = held && ((await this.#sendChunk(held, '')) ?? (await this.#chunkTaken()));
      if (failure !== undefined) return failure;
      held = encoder.encode(piece);
    }
    const end = Buffer.from(encoder.end(), 'latin1');
    const last = held === undefined ? end : Buffer.concat([held, end]);
    return (await this.#sendChunk(last, ' LAST')) ?? this.#conclude();
  }

  async #sendChunk(octets: Buffer, mark: string): Promise<Failure | undefined> {
    const early = await this.#session.early(this.#waiting('end'));
    if (early !== undefined) return early;
    const command = `BDAT ${octets.length}${mark}`;
    this.#session.settings.trace?.('>>', command, true);
    const data = Buffer.concat([Buffer.from(`${command}\r\n`, 'latin1'), octets]);
    const failure = await this.#send(data, this.#settings.dataTimeout);
    return failure && this.#interrupted(failure);
  }

  /** What the server says to a chunk that is not the last. */
  async #chunkTaken(): Promise<Failure | undefined> {
    const waiting = this.#waiting('end');
    const answer = await this.#session.reply(waiting, this.#settings.finalTimeout);
    if (isFailure(answer)) return answer;
    return replyClass(answer) === 2 ? undefined : { ...waiting, kind: 'refused', reply: answer };
  }

  async #send(data: Buffer, timeout: number): Promise<Failure | undefined> {
    const failure = await this.#session.sendData(data, this.#waiting('block'), timeout);
    if (failure === undefined) this.written += data.length;
    return failure;
  }

  /** The message could not be sent whole; the server may have said why before it went. */
  async #interrupted(failure: Failure): Promise<Failure> {
    const waiting = this.#waiting('end');
    const early = await this.#session.early(waiting);
    if (early !== undefined) return early;
    const reply = this.#session.refusedEarly;
    if (reply !== undefined) return { ...waiting, kind: 'refused', reply };
    return failure.kind === 'timeout' ? failure : { ...failure, ...waiting };
  }

  /** The replies to the whole message. */
  async #conclude(): Promise<Failure | undefined> {
    this.#session.needsReset = false;
    const { protocol } = this.#session.settings;
    const waiting = this.#waiting('end');
    if (this.#settings.prdr) return this.#concludeEach(waiting);
    for (const [i, { state }] of this.answers.entries()) {
      if (state !== 'undecided') continue;
      const answer = await this.#session.reply(waiting, this.#settings.finalTimeout);
      if (isFailure(answer)) {
        return answer.kind === 'timeout' ? { ...answer, after: `end of data (${this.written} bytes written)` } : answer;
      }
      const good = replyClass(answer) === 2;
      if (protocol === 'smtp') {
        if (!good) return { ...waiting, kind: 'refused', reply: answer };
        this.#settleAll({ state: 'delivered', reply: answer });
        return undefined;
      }
      this.answers[i] = good
        ? { state: 'delivered', reply: answer }
        : { state: 'refused', stage: 'end', reply: answer };
    }
    return undefined;
  }

  /** PRDR: 353 announces an answer for each recipient and one for all; any other answer is for all. */
  async #concludeEach(waiting: Waiting): Promise<Failure | undefined> {
    const { finalTimeout } = this.#settings;
    const first = await this.#session.reply(waiting, finalTimeout);
    if (isFailure(first)) return first;
    const own = new Map<number, Reply>();
    let last = first;
    if (first.code === eachFollows) {
      for (const [i, { state }] of this.answers.entries()) {
        if (state !== 'undecided') continue;
        const answer = await this.#session.reply(waiting, finalTimeout);
        if (isFailure(answer)) return answer;
        own.set(i, answer);
      }
      const final = await this.#session.reply(waiting, finalTimeout);
      if (isFailure(final)) return final;
      last = final;
    }
    if (replyClass(last) !== 2) return { ...waiting, kind: 'refused', reply: last };
    for (const [i, reply] of own) {
      this.answers[i] =
        replyClass(reply) === 2
          ? { state: 'delivered', reply: last, own: reply }
          : { state: 'refused', stage: 'end', reply };
    }
    this.#settleAll({ state: 'delivered', reply: last });
    return undefined;
  }

  #settleAll(answer: RecipientAnswer): void {
    this.answers.forEach(({ state }, i) => {
      if (state === 'undecided') this.answers[i] = answer;
    });
  }

  #waiting(stage: 'block' | 'end'): Waiting {
    const after = stage === 'end' ? 'end of data' : `sending data block (${this.written} bytes written)`;
    const { pipelining, chunking } = this.#settings;
    return { stage, after, pipelined: stage === 'end' && pipelining && chunking === true };
  }
}
