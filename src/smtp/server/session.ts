/**
 * An SMTP session on the server's side (RFC 5321): reads commands, keeps their order and their limits, and sends the
 * answers that the policy gives. The commands themselves are in `commands/`.
 */

import type { LineConnection, LineRead } from '../../net/line-connection.ts';
import { MessageData } from '../message-data.ts';
import { BatchFailure } from './batch.ts';
import type { SmtpCommand } from './command.ts';
import { commandNamed } from './commands.ts';
import { NonMailCount } from './non-mail.ts';
import { linesIn, takeOctets } from './octets-of-message.ts';
import type { DataEnd, DataSink, NotQuitReason, Reply, SessionSettings, SmtpPolicy, Standing } from './policy.ts';

/** The longest command line; what is longer is no command (RFC 5321 §4.5.3.1.4 asks for 512 octets). */
const maximumLine = 16 * 1024;

/** The longest line of an AUTH exchange (RFC 4954 §4.2). */
const maximumAuthLine = 12_288;

/** Commands that are remembered for log lines. */
const historyLength = 20;

/** Commands that are answered after a farewell, while QUIT is awaited. */
const farewellCommands = 1000;

/** Stands for a line that was too long to be kept; it is no base 64. */
const tooLongForBase64 = '=';

/** How a session ended. */
export type SessionEnd = 'quit' | 'closed' | 'failed';

export class SmtpSession {
  readonly policy: SmtpPolicy;
  readonly settings: SessionSettings;
  readonly #lines: LineConnection;
  /** Words of the commands so far, for logs. */
  readonly #history: string[] = [];
  #commands = 0;
  #mistakes = 0;
  #unknown = 0;
  readonly #nonMail = new NonMailCount();
  #command = '';
  /** A greeting of the client was accepted. */
  hasHelo = false;
  /** It was EHLO, and PIPELINING was offered. */
  pipelining = false;
  /** It was EHLO, and CHUNKING was offered. */
  chunking = false;
  hasSender = false;
  /** MAIL was refused, and nothing but RCPT has come since. */
  isSenderRefused = false;
  acceptedRecipients = 0;
  refusedRecipients = 0;
  /** A recipient was refused since DATA or BDAT was last refused for want of recipients. */
  hasNewRefusal = false;
  /** What all refused recipients were told, while it is the same. */
  refusal: Reply | undefined;
  messages = 0;
  #silence: 'end' | 'timeout' = 'end';
  /** Lines of a batch: how many were read, and how many before this transaction. */
  #line = 0;
  #transactionLine = 0;
  #inMessage = false;

  constructor(lines: LineConnection, policy: SmtpPolicy, settings: SessionSettings) {
    this.#lines = lines;
    this.policy = policy;
    this.settings = settings;
  }

  /** Runs to the end of the session. @throws BatchFailure in batch mode */
  async run(): Promise<SessionEnd> {
    let end: SessionEnd = 'failed';
    try {
      end = await this.#talk();
      await this.#lines.flush(this.settings.timeout);
      return end;
    } finally {
      this.policy.ended(end);
      await this.#lines.close();
    }
  }

  /** Goes on over TLS, as if the client had just come; only a client that cannot do it is gone. */
  async secure(): Promise<SessionEnd | undefined> {
    const outcome = await this.#lines.startTls(await this.policy.tlsSettings());
    await this.policy.secured(outcome);
    if (outcome.outcome === 'failed') {
      await this.policy.notQuit('connection-lost', undefined);
      return 'failed';
    }
    this.hasHelo &&= this.settings.remembersHelo;
    this.pipelining = false;
    this.chunking = false;
    return undefined;
  }

  async #talk(): Promise<SessionEnd> {
    if (this.settings.beginsWithTls) {
      const end = await this.secure();
      if (end !== undefined) return end;
    }
    const greeting = await this.policy.greet();
    if (this.#mustWait() && this.#lines.inputWaiting > 0) {
      if (!(await this.settings.mayBeginEarly())) {
        return this.#unsynchronized('input sent without waiting for greeting');
      }
      this.policy.beganEarly();
    }
    if (greeting.isFarewell) return this.#farewell(greeting);
    if (greeting.code !== '') this.send(greeting);
    if (greeting.close || !greeting.code.startsWith('2')) return greeting.isFailure ? 'failed' : 'closed';
    for (;;) {
      const line = this.#lines.takeLine(maximumLine) ?? (await this.nextLine());
      this.#line++;
      if (line.kind === 'end' && this.settings.isBatch) return this.#batchEnd();
      if (line.kind === 'end' || line.kind === 'timeout') return this.lost(line.kind);
      const text = line.kind === 'line' ? line.text : '';
      const end = await this.#obey(line.kind === 'line' ? text : undefined);
      if (end !== undefined) return end;
    }
  }

  /** There is nothing more to be had: every command is told so, until the client takes the hint. */
  async #farewell(reply: Reply): Promise<SessionEnd> {
    this.send(reply);
    for (let count = 0; count < farewellCommands; count++) {
      const line = await this.#lines.readLine(maximumLine, this.settings.timeout);
      if (line.kind === 'end' || line.kind === 'timeout') break;
      const found = line.kind === 'line' ? commandNamed(line.text) : undefined;
      const bare = found?.argument === '' ? found.command.verb : undefined;
      if (bare === 'QUIT') {
        this.send({ code: '221', text: `${this.settings.hostname()} closing connection` });
        break;
      }
      this.send(bare === 'RSET' ? { code: '250', text: 'Reset OK' } : reply);
    }
    return reply.isFailure ? 'failed' : 'closed';
  }

  /** The next command, or why there is none; answers that wait are sent before. */
  nextLine(): Promise<LineRead> {
    return this.#lines.readLine(maximumLine, this.settings.timeout);
  }

  /** A command within a message; mistakes in it are told of with it. */
  noteCommand(line: string, argument: string): void {
    this.#command = line;
    this.policy.note(line, undefined, argument);
  }

  #mustWait(): boolean {
    return this.settings.isRemote && this.settings.enforceSync;
  }

  async #obey(line: string | undefined): Promise<SessionEnd | undefined> {
    this.#command = line ?? '';
    if (line === undefined) return this.protocolError('syntax', 'line too long', '500');
    if (line.includes('\0')) return this.#withNul();
    const found = commandNamed(line);
    if (found?.command.verb !== 'RCPT') this.isSenderRefused = false;
    const { refusal } = this.settings;
    if (refusal !== undefined && found?.command.verb !== 'QUIT')
      return this.protocolError('protocol', refusal, '503', '');
    if (found === undefined || (this.settings.isBatch && found.command.notInBatches)) return this.#unrecognized(line);
    const { command, argument } = found;
    this.policy.note(this.#command, command.verb, argument);
    if (!command.isMail && !this.settings.isBatch && (await this.#tooManyNonMail(command.verb))) return 'failed';
    if (!command.dataFollows && this.#lines.inputWaiting > 0) {
      if (this.#isAhead()) this.policy.pipelined();
      if (await this.#tooEarly(command)) return this.#unsynchronized('next input sent too soon', line);
    }
    if (argument !== '' && command.argument === 'none') return this.protocolError('syntax', 'unexpected argument data');
    this.#commands++;
    if (this.#history.push(command.verb) > historyLength) this.#history.shift();
    const end = await command.run(this, argument);
    if (!command.isMail) this.#transactionLine = this.#line;
    return end;
  }

  /** A client on a network did not wait for an answer, as it may. */
  #isAhead(): boolean {
    return this.settings.isRemote && this.pipelining && this.#lines.inputWaiting > 0;
  }

  /** Input stands behind a command that the client must wait for, or behind any when it may not send several at once. */
  async #tooEarly({ endsGroup, beginsSession }: SmtpCommand): Promise<boolean> {
    if (!this.#mustWait() || (!endsGroup && this.pipelining)) return false;
    if (!beginsSession || !(await this.settings.mayBeginEarly())) return true;
    this.policy.beganEarly();
    return false;
  }

  async #unsynchronized(what: string, command?: string): Promise<SessionEnd> {
    const offered = command === undefined ? '' : `: pipelining was${this.pipelining ? '' : ' not'} advertised`;
    this.policy.unsynchronized(`${what}${offered}`, command, this.#lines.peek(150));
    this.send({ code: '554', text: 'SMTP synchronization error' });
    await this.policy.notQuit('synchronization-error', undefined);
    return 'closed';
  }

  /** Counts commands that bring no mail; some are free once between messages (Exim spec 49.6). */
  async #tooManyNonMail(verb: string): Promise<boolean> {
    const count = this.#nonMail.next(verb) ?? 0;
    if (count <= this.settings.maximumNonMail || !(await this.settings.limitsNonMail())) return false;
    this.endTransaction('too many non-mail commands');
    this.policy.dropped(`too many nonmail commands (last was "${verb}")`);
    await this.#leave('bad-commands', { code: '554', text: 'Too many nonmail commands' });
    return true;
  }

  #withNul(): Promise<SessionEnd | undefined> {
    const text = 'NUL characters are not allowed in SMTP commands';
    return this.protocolError('syntax', text, '501', "NUL character(s) present (shown as '?')");
  }

  async #unrecognized(line: string): Promise<SessionEnd | undefined> {
    if (++this.#unknown <= this.settings.maximumUnknown) {
      return this.protocolError('syntax', 'unrecognized command', '500');
    }
    this.policy.mistake('syntax', line, 'unrecognized command');
    this.endTransaction('unrecognized command');
    const end = await this.#leave('bad-commands', { code: '500', text: 'Too many unrecognized commands' });
    this.policy.dropped(`too many unrecognized commands (last was "${line.slice(0, 200)}")`);
    return end;
  }

  /** A command with a mistake in it, or out of order; too many of them end the session. */
  async protocolError(
    kind: 'syntax' | 'protocol',
    text: string,
    code = '501',
    logged = text.split('\n').at(-1) ?? text,
  ): Promise<SessionEnd | undefined> {
    if (this.settings.isBatch) throw this.#batchFailure({ code, text, logged });
    if (logged !== '') this.policy.mistake(kind, this.#command, logged);
    if (this.#mistakes >= this.settings.maximumMistakes) return this.#tooManyMistakes({ code, text });
    this.#mistakes++;
    this.send({ code, text });
    return undefined;
  }

  async #tooManyMistakes({ code, text }: Reply): Promise<SessionEnd> {
    // a greeting that makes no sense is answered as the others before it
    const more = /^(?:HE|EH)LO/i.test(this.#command) ? '' : '\nToo many syntax or protocol errors';
    const last = { code, text: `${text}${more}` };
    this.send(last);
    const history = `${this.#commands > historyLength ? '...' : ''}${this.#history.join(',')}`;
    const command = this.#command.slice(0, 200);
    this.policy.dropped(`too many syntax or protocol errors (last command was "${command}",  C=${history})`);
    return 'closed';
  }

  async #leave(reason: NotQuitReason, reply: Reply): Promise<SessionEnd> {
    const last = (await this.policy.notQuit(reason, reply)) ?? reply;
    if (!this.#lines.isBroken) {
      this.send(last);
      // what logs say of it comes behind the answer
      await this.flush();
    }
    return 'closed';
  }

  /** The end of a batch is its QUIT. */
  #batchEnd(): SessionEnd {
    return 'quit';
  }

  #batchFailure(reply: Reply): BatchFailure {
    const place = { transactionLine: this.#transactionLine, line: this.#line, messages: this.messages };
    return new BatchFailure(reply, { ...place, command: this.#inMessage ? '' : this.#command });
  }

  /** Sends a challenge and answers the line behind it, or nothing when there is none. */
  async challenge(text: string): Promise<string | undefined> {
    this.send({ code: '334', text });
    const line = await this.#lines.readLine(maximumAuthLine, this.settings.timeout);
    if (line.kind === 'line') return line.text;
    if (line.kind === 'too long') return tooLongForBase64;
    this.#silence = line.kind;
    return undefined;
  }

  /** The client is gone, or says nothing any more. */
  lost(why: 'end' | 'timeout' = this.#silence): Promise<SessionEnd> {
    return why === 'end' ? this.#lost() : this.#timedOut();
  }

  async #lost(): Promise<SessionEnd> {
    const standing = this.#standing;
    this.endTransaction('connection lost');
    await this.#leave('connection-lost', { code: '421', text: `${this.settings.hostname()} lost input connection` });
    this.policy.lost('end', standing);
    return 'failed';
  }

  get #standing(): Standing {
    return this.hasSender ? 'behind MAIL' : 'before MAIL';
  }

  async #timedOut(): Promise<SessionEnd> {
    const standing = this.#standing;
    this.endTransaction('command timeout');
    const text = `${this.settings.hostname()}: SMTP command timeout - closing connection`;
    await this.#leave('command-timeout', { code: '421', text });
    this.policy.lost('timeout', standing);
    return 'failed';
  }

  /** Adds an answer; it goes out when the client has nothing more to say for now. */
  send(reply: Reply): void {
    const { code, text } = reply;
    if (this.settings.isBatch) {
      if (!/^[23]/.test(code)) throw this.#batchFailure(reply);
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
  async answer(reply: Reply, reason: NotQuitReason = 'acl-drop'): Promise<SessionEnd | undefined> {
    if (reply.mistake !== undefined) return this.protocolError(reply.mistake, reply.text, reply.code, reply.logged);
    if (reply.isFarewell) return this.#farewell(reply);
    for (const each of reply.before ?? []) this.send(each);
    this.send(reply);
    if (!reply.close) return undefined;
    await this.policy.notQuit(reason, undefined);
    return 'closed';
  }

  /** A message has come in whole: the next one may begin with another RSET and another greeting. */
  messageDone(): void {
    this.#inMessage = false;
    this.#transactionLine = this.#line;
    this.#nonMail.renew();
  }

  /** Tells logs why there will be no message. */
  tellIncomplete(reason: string): void {
    if (this.hasSender) this.policy.incomplete(reason);
  }

  /** Forgets sender and recipients; logs tell why. */
  endTransaction(reason: string): void {
    this.tellIncomplete(reason);
    this.forgetTransaction();
  }

  /** Forgets them because the client began anew, of which no log tells. */
  forgetTransaction(): void {
    if (this.hasSender) this.policy.reset();
    this.#clear();
  }

  #clear(): void {
    this.hasSender = false;
    this.acceptedRecipients = 0;
    this.refusedRecipients = 0;
    this.hasNewRefusal = false;
    this.refusal = undefined;
  }

  /** Sends the answers so far. */
  flush(): Promise<void> {
    return this.#lines.flush(this.settings.timeout);
  }

  /** Reads the octets of a message up to the dot. */
  async readData({ take }: DataSink): Promise<DataEnd> {
    this.#inMessage = true;
    const data = new MessageData(this.settings.isRemote ? 'CRLF only' : 'any');
    while (!data.ended) {
      const block = await this.#lines.readBlock(this.settings.timeout);
      if (typeof block === 'string') return { kind: block === 'end' ? 'lost' : 'timeout' };
      const { octets, used } = data.take(block);
      if (this.settings.isBatch) this.#line += linesIn(block.subarray(0, used));
      if (used < block.length) this.#lines.unread(block.subarray(used));
      if (octets.length > 0) await take(octets);
    }
    this.mustClose = data.endedByLf;
    return { kind: 'complete', fault: data.fault };
  }

  /** Reads so many octets that no command is among. */
  readOctets(count: number, take: (octets: Buffer) => Promise<void> | undefined): Promise<'all' | 'lost' | 'timeout'> {
    return takeOctets(this.#lines, this.settings.timeout, count, take);
  }

  /** What follows the message cannot be trusted to be commands. */
  mustClose = false;
}
