/**
 * An SMTP session on the server's side (RFC 5321): reads commands, keeps their order and their limits, and sends the
 * answers that the policy gives. The commands themselves are in `commands/`.
 */

import { upper } from '../../lib/octets.ts';
import type { LineConnection } from '../../net/line-connection.ts';
import { MessageData } from '../message-data.ts';
import { commandNamed } from './commands.ts';
import type { DataEnd, NotQuitReason, Reply, SessionSettings, SmtpPolicy } from './policy.ts';

/** The longest command line; what is longer is no command (RFC 5321 §4.5.3.1.4 asks for 512 octets). */
const maximumLine = 16 * 1024;

/** How a session ended. */
export type SessionEnd = 'quit' | 'closed' | 'failed';

/** Answers of a batch session that are mistakes. */
export class BatchFailure extends Error {
  readonly reply: Reply;
  constructor(reply: Reply) {
    super(`${reply.code} ${reply.text}`);
    this.reply = reply;
  }
}

export class SmtpSession {
  readonly policy: SmtpPolicy;
  readonly settings: SessionSettings;
  readonly #lines: LineConnection;
  /** Words of the commands so far, for logs. */
  readonly #history: string[] = [];
  #mistakes = 0;
  #unknown = 0;
  #nonMail = 0;
  #command = '';
  /** A greeting of the client was accepted. */
  hasHelo = false;
  /** It was EHLO, and PIPELINING was offered. */
  pipelining = false;
  hasSender = false;
  acceptedRecipients = 0;
  refusedRecipients = 0;
  /** What all refused recipients were told, while it is the same. */
  refusal: Reply | undefined;
  messages = 0;

  constructor(lines: LineConnection, policy: SmtpPolicy, settings: SessionSettings) {
    this.#lines = lines;
    this.policy = policy;
    this.settings = settings;
  }

  /** Runs to the end of the session. @throws BatchFailure in batch mode */
  async run(): Promise<SessionEnd> {
    try {
      const end = await this.#talk();
      await this.#lines.flush(this.settings.timeout);
      return end;
    } finally {
      this.policy.ended();
      await this.#lines.close();
    }
  }

  async #talk(): Promise<SessionEnd> {
    const greeting = await this.policy.greet();
    if (this.#mustWait() && this.#lines.inputWaiting > 0) {
      return this.#unsynchronized('input sent without waiting for greeting', 'connection');
    }
    this.send(greeting);
    if (greeting.close || !/^2/.test(greeting.code)) return 'closed';
    for (;;) {
      const line =
        this.#lines.takeLine(maximumLine) ?? (await this.#lines.readLine(maximumLine, this.settings.timeout));
      if (line.kind === 'end') return this.#lost();
      if (line.kind === 'timeout') return this.#timedOut();
      const text = line.kind === 'line' ? line.text : '';
      const end = await this.#obey(line.kind === 'line' ? text : undefined);
      if (end !== undefined) return end;
    }
  }

  #mustWait(): boolean {
    return this.settings.isRemote && this.settings.enforceSync;
  }

  async #obey(line: string | undefined): Promise<SessionEnd | undefined> {
    const found = line === undefined ? undefined : commandNamed(line);
    this.#command = line ?? '';
    if (found === undefined) return this.#unrecognized(line ?? '');
    const { command, argument } = found;
    if (this.#history.length < 100) this.#history.push(command.verb);
    this.policy.note(this.#command, command.verb, argument);
    if (command.isMail) this.#nonMail = command.verb === 'MAIL' ? 0 : this.#nonMail;
    else if (await this.#tooManyNonMail()) return 'closed';
    if (this.#tooEarly(command.endsGroup)) return this.#unsynchronized('next input sent too soon', line ?? '');
    if (argument !== '' && command.argument === 'none') return this.protocolError('syntax', 'unexpected argument data');
    return command.run(this, argument);
  }

  /** Input stands behind a command that the client must wait for, or behind any when it may not send several at once. */
  #tooEarly(endsGroup: boolean): boolean {
    if (!this.#mustWait() || this.#lines.inputWaiting === 0) return false;
    return endsGroup || !this.pipelining;
  }

  async #unsynchronized(what: string, command: string): Promise<SessionEnd> {
    const offered = command === 'connection' ? '' : `: pipelining was${this.pipelining ? '' : ' not'} advertised`;
    const next = this.#lines.peek(150);
    const rejected = command === 'connection' ? 'rejected connection from' : `rejected "${command}"`;
    this.policy.dropped(`SMTP protocol synchronization error (${what}${offered}): ${rejected}\0${next}`);
    this.send({ code: '554', text: 'SMTP synchronization error' });
    await this.policy.notQuit('synchronization-error', undefined);
    return 'closed';
  }

  async #tooManyNonMail(): Promise<boolean> {
    const { maximumNonMail } = this.settings;
    if (maximumNonMail < 0 || ++this.#nonMail <= maximumNonMail) return false;
    this.policy.dropped(`too many nonmail commands (last was "${this.#history.at(-1) ?? ''}")`);
    await this.#leave('bad-commands', { code: '554', text: 'Too many nonmail commands' });
    return true;
  }

  async #unrecognized(line: string): Promise<SessionEnd | undefined> {
    this.policy.mistake('syntax', line, 'unrecognized command');
    if (++this.#unknown > this.settings.maximumUnknown) {
      this.policy.dropped(`too many unrecognized commands (last was "${line.slice(0, 200)}")`);
      return this.#leave('bad-commands', { code: '500', text: 'Too many unrecognized commands' });
    }
    this.send({ code: '500', text: 'unrecognized command' });
    return undefined;
  }

  /** A command with a mistake in it, or out of order; too many of them end the session. */
  async protocolError(kind: 'syntax' | 'protocol', text: string, code = '501'): Promise<SessionEnd | undefined> {
    this.policy.mistake(kind, this.#command, text.split('\n').at(-1) ?? text);
    if (++this.#mistakes <= this.settings.maximumMistakes) {
      this.send({ code, text });
      return undefined;
    }
    const history = this.#history.slice(-20).join(',');
    this.policy.dropped(
      `too many syntax or protocol errors (last command was "${this.#command.slice(0, 200)}",  C=${history})`,
    );
    return this.#leave('bad-command-synprot', { code, text: `${text}\nToo many syntax or protocol errors` });
  }

  async #leave(reason: NotQuitReason, reply: Reply): Promise<SessionEnd> {
    this.send((await this.policy.notQuit(reason, reply)) ?? reply);
    return 'closed';
  }

  async #lost(): Promise<SessionEnd> {
    this.endTransaction('connection lost');
    this.policy.lost();
    if (!this.#lines.isBroken) this.send({ code: '421', text: `${this.settings.hostname} lost input connection` });
    await this.policy.notQuit('connection-lost', undefined);
    return 'failed';
  }

  async #timedOut(): Promise<SessionEnd> {
    this.endTransaction('command timeout');
    const reply = { code: '421', text: `${this.settings.hostname}: SMTP command timeout - closing connection` };
    this.policy.dropped('\0command timeout');
    await this.#leave('command-timeout', reply);
    return 'failed';
  }

  /** Adds an answer; it goes out when the client has nothing more to say for now. */
  send({ code, text }: Reply): void {
    if (this.settings.isBatch) {
      if (!/^[23]/.test(code)) throw new BatchFailure({ code, text });
      return;
    }
    const lines = text.split('\n');
    const last = lines.length - 1;
    const head = code.length > 3 ? `${code.slice(4)} ` : '';
    const digits = code.slice(0, 3);
    let answer = '';
    for (const [i, line] of lines.entries()) answer += `${digits}${i === last ? ' ' : '-'}${head}${line}\r\n`;
    this.#lines.write(answer);
  }

  /** Sends an answer and goes on, or ends the session when the answer says so. */
  answer(reply: Reply): SessionEnd | undefined {
    this.send(reply);
    return reply.close ? 'closed' : undefined;
  }

  /** Forgets sender and recipients. */
  endTransaction(reason: string): void {
    if (this.hasSender) this.policy.reset(reason);
    this.hasSender = false;
    this.acceptedRecipients = 0;
    this.refusedRecipients = 0;
    this.refusal = undefined;
  }

  /** Sends the answers so far. */
  flush(): Promise<void> {
    return this.#lines.flush(this.settings.timeout);
  }

  /** Reads the octets of a message up to the dot. */
  async readData(take: (octets: Buffer) => Promise<void> | undefined): Promise<DataEnd> {
    const data = new MessageData(this.settings.isRemote ? 'CRLF only' : 'CRLF or LF');
    while (!data.ended) {
      const block = await this.#lines.readBlock(this.settings.timeout);
      if (typeof block === 'string') return { kind: block === 'end' ? 'lost' : 'timeout' };
      const { octets, used } = data.take(block);
      if (used < block.length) this.#lines.unread(block.subarray(used));
      if (octets.length > 0) await take(octets);
    }
    this.mustClose = data.endedByLf;
    return { kind: 'complete', fault: data.fault };
  }

  /** What follows the message cannot be trusted to be commands. */
  mustClose = false;

  get verb(): string {
    return upper(this.#history.at(-1) ?? '');
  }
}
