/**
 * One connection to an SMTP or LMTP server, seen from the client (RFC 5321, RFC 2033): greeting, hello, reset and quit;
 * transactions are in `transaction.ts`. It knows the protocol and no policy: parameters come in, replies and failures
 * go out.
 *
 * A session can be kept between transactions, by whoever has more mail for the same host, as long as it is `usable`.
 * For STARTTLS its stream is replaced; what was heard over the old one is then forgotten.
 */

import * as clock from '../../lib/clock.ts';
import type { ByteStream, SecuredStream, StreamFailure } from '../../net/byte-stream.ts';
import type { ClientTls } from '../../net/tls.ts';
import { type Reply, ReplyReader, replyClass, replyText } from '../reply.ts';
import { type Extensions, extensionsIn } from './extensions.ts';
import { type Failure, isFailure, type Waiting } from './failure.ts';

export interface SessionSettings {
  readonly protocol: 'smtp' | 'lmtp';
  /** Milliseconds that the reply to a command may take, and the greeting. */
  readonly commandTimeout: number;
  /** Sees each line: `>>` sent, `|>` sent with more to follow, `<<` received. */
  readonly trace?: ((direction: '>>' | '|>' | '<<', line: string, isFirst: boolean) => void) | undefined;
}

/** How long the answer to QUIT is waited for, in milliseconds; nobody needs it. */
const farewellTime = 5_000;

const closingDown = 421;
const nothing: Extensions = new Map();
const waitingFor = (stage: Waiting['stage'], after: string): Waiting => ({ stage, after, pipelined: false });

export class ClientSession {
  /** Whoever takes the session over may bring other time limits. */
  settings: SessionSettings;
  /** What the server offers. */
  extensions: Extensions = nothing;
  /** A transaction was begun and not ended: RSET must come before the next. */
  needsReset = false;
  #stream: ByteStream;
  #reader = new ReplyReader();
  /** A reply that was read before it was asked for. */
  #ahead: Reply | undefined;
  #alive = true;
  #closingDown = false;
  /** The server turned out to be another than it was taken for: the connection is lost, and what was said is void. */
  misjudged = false;
  /** The answer to EHLO, LHLO or HELO. */
  introduction: Reply | undefined;
  /** EHLO, which goes out with whatever comes next. */
  #held: string | undefined;
  /** Hears the answers that come before the one that is waited for. */
  #hear: (() => Promise<Failure | undefined>) | undefined;

  constructor(stream: ByteStream, settings: SessionSettings) {
    this.#stream = stream;
    this.settings = settings;
  }

  /** Whether another transaction makes sense. */
  get usable(): boolean {
    return this.#alive && !this.#closingDown;
  }

  /** Whether the server is there and says nothing, as it should between two messages; waits for nothing. */
  async isQuiet(): Promise<boolean> {
    if (!this.usable || this.#ahead !== undefined || this.#reader.hasOctets) return false;
    const found = await this.#stream.read(0);
    if (found.outcome === 'octets') this.#reader.add(found.octets);
    else if (found.outcome === 'timeout') return true;
    else this.#alive = false;
    return false;
  }

  /** Waits until the server has greeted. */
  async greeting(): Promise<Reply | Failure> {
    const waiting = waitingFor('greeting', 'initial connection');
    return consent(await this.reply(waiting), waiting);
  }

  /**
   * Introduces this host and learns what the server offers. Where `extended` is false, or the server refuses EHLO, it
   * is HELO, after which nothing is offered; LMTP knows only LHLO (RFC 5321 §3.2, RFC 2033 §4.1).
   */
  async hello(name: string, extended: boolean): Promise<Reply | Failure> {
    const verb = this.settings.protocol === 'lmtp' ? 'LHLO' : extended ? 'EHLO' : 'HELO';
    const answer = await this.#ask(waitingFor('hello', `${verb} ${name}`));
    if (!isFailure(answer)) {
      if (verb === 'HELO') this.introduction = answer;
      else this.#introduced(answer);
      return answer;
    }
    if (answer.kind !== 'refused' || verb !== 'EHLO') return answer;
    const second = await this.#ask(waitingFor('hello', `HELO ${name}`));
    if (!isFailure(second) || second.kind !== 'closed') return second;
    return { ...second, after: `${second.after} (EHLO response was: ${replyText(answer.reply)})` };
  }

  /**
   * Introduces this host without waiting for anything, the greeting neither: EHLO goes out with what is said next, and the
   * server is taken to offer `remembered`. `hear` reads its answers before that to the next command; when it is not content
   * the session is `misjudged`.
   */
  introduceAhead(name: string, remembered: Extensions, hear: () => Promise<Failure | undefined>): void {
    this.extensions = remembered;
    this.#held = `EHLO ${name}`;
    this.#hear = hear;
  }

  /** Whether it is still unknown what the server says to an introduction. */
  get isAhead(): boolean {
    return this.#hear !== undefined;
  }

  /** The answer to an EHLO that was sent ahead. */
  async helloAnswer(name: string): Promise<Reply | Failure> {
    const waiting: Waiting = { stage: 'hello', after: `EHLO ${name}`, pipelined: true };
    const answer = consent(await this.reply(waiting), waiting);
    if (!isFailure(answer)) this.#introduced(answer);
    return answer;
  }

  #introduced(answer: Reply): void {
    this.introduction = answer;
    this.extensions = extensionsIn(answer);
  }

  /**
   * Sends one line and answers whatever is said to it. `shown` stands for it in logs, where it holds a secret.
   */
  async exchange(line: string, stage: Waiting['stage'], shown: string = line): Promise<Reply | Failure> {
    const waiting = waitingFor(stage, shown);
    return (await this.send([line], waiting, shown)) ?? (await this.reply(waiting));
  }

  /** Goes on over TLS; what was heard before is forgotten. When it fails, the connection is closed. */
  async startTls(settings: ClientTls): Promise<SecuredStream> {
    const secured = await this.#stream.startTls(settings);
    if (secured.outcome === 'failed') {
      this.#alive = false;
      return secured;
    }
    this.#stream = secured.stream;
    this.#reader = new ReplyReader();
    this.#ahead = undefined;
    this.extensions = nothing;
    return secured;
  }

  /** Takes back an unfinished transaction. */
  async reset(): Promise<Reply | Failure> {
    const answer = await this.#ask(waitingFor('reset', 'RSET'));
    if (!isFailure(answer)) this.needsReset = false;
    return answer;
  }

  /** Says goodbye, when there is somebody to say it to; nobody waits for the answer. */
  quit(): void {
    if (!this.#alive) {
      this.close();
      return;
    }
    this.#alive = false;
    this.settings.trace?.('>>', 'QUIT', true);
    void this.#stream.write('QUIT\r\n', farewellTime);
    this.#stream.finish(farewellTime);
  }

  /** Drops the connection. */
  close(): void {
    this.#alive = false;
    this.#stream.close();
  }

  async #ask(waiting: Waiting): Promise<Reply | Failure> {
    const failure = await this.send([waiting.after], waiting);
    return failure ?? consent(await this.reply(waiting), waiting);
  }

  /**
   * Sends commands together. That the connection was lost is told by the reply, since the server may have said why.
   * `waiting` is for the first of them; `shown` stands for them where they hold a secret.
   *
   * @throws RangeError when a text holds a line end or NUL: it would be another command
   */
  async send(commands: readonly string[], waiting: Waiting, shown?: string): Promise<Failure | undefined> {
    for (const command of commands) {
      if (/[\0\r\n]/.test(command)) throw new RangeError('a line end within an SMTP command');
    }
    const early = this.isAhead ? undefined : await this.early(waiting);
    if (early !== undefined) return early;
    const { trace } = this.settings;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) trace?.('|>', held, true);
    commands.forEach((command, i) => {
      trace?.(i < commands.length - 1 ? '|>' : '>>', shown ?? command, true);
    });
    const lines = held === undefined ? commands : [held, ...commands];
    const result = await this.#stream.write(`${lines.join('\r\n')}\r\n`, this.settings.commandTimeout);
    return result.outcome === 'timeout' ? this.#fail(waiting, result) : undefined;
  }

  /** Sends a piece of the message; `timeout` is in milliseconds. */
  async sendData(data: Uint8Array | string, waiting: Waiting, timeout: number): Promise<Failure | undefined> {
    const result = await this.#stream.write(data, timeout);
    return result.outcome === 'written' ? undefined : this.#fail(waiting, result);
  }

  /**
   * What the server said although nothing was asked: consent to something it has not seen is a failure, since no later
   * reply could be trusted; a refusal is kept as the next reply.
   */
  async early(waiting: Waiting): Promise<Failure | undefined> {
    while (this.#stream.unread > 0) {
      const result = await this.#stream.read(0);
      if (result.outcome === 'octets') this.#reader.add(result.octets);
    }
    if (this.#ahead !== undefined || !this.#reader.hasOctets) return undefined;
    const reading = this.#next();
    if (reading.outcome === 'incomplete') return undefined;
    if (reading.outcome === 'malformed') return this.#fail(waiting, reading);
    this.#ahead = reading.reply;
    if (replyClass(reading.reply) > 3) return undefined;
    this.#alive = false;
    return { ...waiting, kind: 'early', reply: reading.reply };
  }

  /** A refusal that came early, if one did. */
  get refusedEarly(): Reply | undefined {
    return this.#ahead;
  }

  /** The next reply, which may take `timeout` milliseconds from its first octet to its last. */
  async reply(waiting: Waiting, timeout = this.settings.commandTimeout): Promise<Reply | Failure> {
    const hear = this.#hear;
    this.#hear = undefined;
    const misjudgement = await hear?.();
    if (misjudgement !== undefined) {
      this.misjudged = true;
      this.close();
      return misjudgement;
    }
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined) return ahead;
    const deadline = clock.elapsed() + timeout;
    for (;;) {
      const reading = this.#next();
      if (reading.outcome === 'reply') return reading.reply;
      if (reading.outcome === 'malformed') return this.#fail(waiting, reading);
      const result = await this.#stream.read(Math.max(deadline - clock.elapsed(), 0));
      if (result.outcome !== 'octets') return this.#fail(waiting, result);
      this.#reader.add(result.octets);
    }
  }

  #next(): ReturnType<ReplyReader['next']> {
    const reading = this.#reader.next();
    const { trace } = this.settings;
    if (reading.outcome === 'reply') {
      if (reading.reply.code === closingDown) this.#closingDown = true;
      if (trace !== undefined) for (const [i, line] of reading.reply.lines.entries()) trace('<<', line, i === 0);
    } else if (reading.outcome === 'malformed') trace?.('<<', reading.text, true);
    return reading;
  }

  #fail(waiting: Waiting, cause: StreamFailure | { readonly outcome: 'malformed'; readonly text: string }): Failure {
    this.#alive = false;
    switch (cause.outcome) {
      case 'broken':
        return { ...waiting, kind: 'broken', code: cause.code, text: cause.text };
      case 'malformed':
        return { ...waiting, kind: 'malformed', text: cause.text };
      default:
        return { ...waiting, kind: cause.outcome };
    }
  }
}

/** A reply that is no consent as a failure. */
function consent(answer: Reply | Failure, waiting: Waiting): Reply | Failure {
  if (isFailure(answer) || replyClass(answer) === 2) return answer;
  return { ...waiting, kind: 'refused', reply: answer };
}
