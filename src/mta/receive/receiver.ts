/** The policy of SMTP sessions: what this configuration says to each command (`smtp/server/policy.ts`). */

import type { AclResult } from '../../acl/acl.ts';
import { printing, printingLine } from '../../lib/escapes.ts';
import { parseOptionInteger } from '../../lib/sizes.ts';
import { askIdent } from '../../net/ident.ts';
import type { ServerTls, TlsOutcome } from '../../net/tls.ts';
import { Text } from '../../safe/taint.ts';
import type {
  AskClient,
  HeloAnswer,
  NotQuitReason,
  ReadData,
  Reply,
  SmtpPolicy,
  Standing,
} from '../../smtp/server/policy.ts';
import type { SessionEnd } from '../../smtp/server/session.ts';
import { messageSizeLimit } from '../size-limit.ts';
import { consent, refusal } from './acl-reply.ts';
import { etrn, expn, vrfy } from './address-commands.ts';
import { auth, authProblem } from './auth-command.ts';
import { greeted } from './helo.ts';
import { mail } from './mail-command.ts';
import { predata, receiveMessage } from './message-command.ts';
import { rcpt } from './rcpt-command.ts';
import { type Reception, shownInLog } from './reception.ts';
import { secured, startTls, tlsSettings } from './tls-command.ts';

export class Receiver implements SmtpPolicy {
  readonly #reception: Reception;
  /** The client was turned away before a word was said. */
  #isTurnedAway = false;

  constructor(reception: Reception) {
    this.#reception = reception;
  }

  async greet(): Promise<Reply> {
    const reception = this.#reception;
    const { runtime, connection, context, acls, client } = reception;
    const { main } = runtime.config;
    await reception.decideLogging();
    // that of a proxy was told before it said whom it stands for
    if (!client.isBatch && connection.proxy === undefined) reception.logConnection();
    const unfit = await this.#setUp();
    if (unfit !== undefined) return unfit;
    if (client.isBatch) return { code: '220', text: '' };
    if (await reception.isIn(main.host_reject_connection)) {
      this.#isTurnedAway = true;
      runtime.logs.rejectFor('connection_reject', `refused connection from ${reception.name} (host_reject_connection)`);
      return { code: '554', text: 'SMTP service not available', close: true };
    }
    await this.#identify();
    if (await reception.isIn(main.host_lookup)) await context.services.findHostName(context);
    const result = await acls.run('connection', main.acl_smtp_connect);
    if (result !== undefined && result.outcome !== 'accept') {
      this.#isTurnedAway = true;
      const reply = refusal(result, 'connection', 'connection in "connect" ACL', reception);
      if (result.outcome === 'drop') await this.notQuit('acl-drop', undefined);
      return { ...reply, close: true };
    }
    const banner = await this.#banner();
    if (banner === undefined)
      return { code: '421', text: 'Unexpected failure, please try later', isFarewell: true, isFailure: true };
    return consent(result, '220', banner, reception);
  }

  /** Asks the host of the client which user it is (Exim spec 14, rfc1413_hosts). */
  async #identify(): Promise<void> {
    const reception = this.#reception;
    const { runtime, connection, client } = reception;
    const { rfc1413_hosts: hosts, rfc1413_query_timeout: timeout } = runtime.config.main;
    const { hostAddress, hostPort, interfaceAddress, interfacePort } = connection;
    // `-bh` has no connection that anybody could be asked about
    if (timeout === 0 || client.isTest || !client.isNetwork || connection.ident !== '') return;
    if (interfacePort === 0 || !(await reception.isIn(hosts))) return;
    const ports = { remotePort: hostPort, localPort: interfacePort };
    const name = await askIdent({ remoteAddress: hostAddress, localAddress: interfaceAddress, ...ports, timeout });
    if (name !== undefined) connection.ident = printing(name, runtime.settings.printTopBitCharacters);
  }

  /** What holds for the whole session; answers why there can be none: without our own name not a word is said. */
  async #setUp(): Promise<Reply | undefined> {
    const reception = this.#reception;
    const { runtime, connection, context } = reception;
    const { main } = runtime.config;
    const active = await main.smtp_active_hostname?.expand(context);
    if (active !== undefined && !active.ok && active.kind !== 'forced') {
      runtime.logs.panic(
        `failed to expand "${main.smtp_active_hostname?.source}" (smtp_active_hostname): ${active.message}`,
      );
      return { code: '', text: '', close: true, isFailure: true };
    }
    connection.activeHostname =
      active?.ok === true && active.text.value !== '' ? active.text : Text.configured(runtime.settings.primaryHostname);
    const sizeLimit = await messageSizeLimit(runtime, context, 'session');
    if (sizeLimit === undefined) {
      return { code: '421', text: 'Temporary local problem - please try later', isFarewell: true };
    }
    reception.sizeLimit = sizeLimit;
    const isHost = connection.hostAddress !== '';
    reception.mayLackDomain = {
      sender: !isHost || (await reception.isIn(main.sender_unqualified_hosts)),
      recipient: !isHost || (await reception.isIn(main.recipient_unqualified_hosts)),
    };
    const limit = await main.smtp_accept_max_per_connection.expand(context);
    reception.messagesLimit = limit.ok ? (parseOptionInteger(limit.text.value) ?? 0) : 0;
    return undefined;
  }

  async #banner(): Promise<string | undefined> {
    const { runtime, context } = this.#reception;
    const template = runtime.config.main.smtp_banner;
    const expansion = await template.expand(context);
    if (expansion.ok) return expansion.text.value.replace(/\r?\n$/, '');
    runtime.logs.panic(`Expansion of "${template.source}" (smtp_banner) failed: ${expansion.message}`);
    return undefined;
  }

  helo(verb: 'HELO' | 'EHLO', name: string): Promise<HeloAnswer> {
    if (this.#reception.transaction === undefined) this.#reception.beginAnew();
    this.#reception.acls.beginCommand();
    return greeted(verb, name, this.#reception);
  }

  offersTls(): boolean {
    return this.#reception.offersTls;
  }

  startTls(): Promise<Reply> {
    return startTls(this.#reception);
  }

  tlsSettings(): Promise<ServerTls> {
    return tlsSettings(this.#reception);
  }

  secured(outcome: TlsOutcome): Promise<void> {
    return secured(outcome, this.#reception);
  }

  authProblem(): string | undefined {
    return authProblem(this.#reception);
  }

  auth(mechanism: string, initial: string | undefined, ask: AskClient): Promise<Reply | undefined> {
    return auth(mechanism, initial, ask, this.#reception);
  }

  mail(argument: string): Promise<Reply> {
    this.#reception.beginAnew();
    this.#reception.acls.beginCommand();
    return mail(argument, this.#reception);
  }

  rcpt(argument: string): Promise<Reply> {
    return rcpt(argument, this.#reception);
  }

  answersInOneLine(): boolean {
    return this.#reception.acls.requests.controls.noMultilineResponses;
  }

  predata(): Promise<Reply> {
    return predata(this.#reception);
  }

  async message(read: ReadData): Promise<Reply> {
    this.#reception.hasSeenData = true;
    const reply = await receiveMessage(read, this.#reception);
    this.#reception.forgetMessage();
    return reply;
  }

  /** In a rehearsal somebody looks on, who must not take the id for one of the queue. */
  async messageAnswered(accepted: boolean): Promise<void> {
    const { client, tools } = this.#reception;
    if (!client.isTest || !accepted) return;
    await this.#reception.flush();
    tools.remark('\n**** SMTP testing: that is not a real message id!\n\n');
  }

  incomplete(reason: string): void {
    const { transaction, runtime, hostText, selects } = this.#reception;
    if (transaction === undefined || !selects('smtp_incomplete_transaction')) return;
    const { sender, recipients } = transaction;
    const to = recipients.length === 0 ? '' : ` for ${withinLine(recipients)}`;
    runtime.logs.main(shownInLog(`${hostText}incomplete transaction (${reason}) from <${sender}>${to}`));
  }

  reset(): void {
    this.#reception.forgetMessage();
  }

  vrfy(argument: string): Promise<Reply> {
    return vrfy(argument, this.#reception);
  }

  expn(argument: string): Promise<Reply> {
    return expn(argument, this.#reception);
  }

  etrn(argument: string): Promise<Reply> {
    return etrn(argument, this.#reception);
  }

  commands(): readonly string[] {
    const { main } = this.#reception.runtime.config;
    const { tls } = this.#reception.connection;
    const started = tls !== undefined || (main.tls_advertise_hosts?.template.source ?? '') === '' ? [] : ['STARTTLS'];
    const optional = [
      ['ETRN', main.acl_smtp_etrn],
      ['EXPN', main.acl_smtp_expn],
      ['VRFY', main.acl_smtp_vrfy],
    ] as const;
    const allowed = optional.filter(([, acl]) => acl !== undefined).map(([name]) => name);
    return ['AUTH', ...started, ...'HELO EHLO MAIL RCPT DATA BDAT NOOP QUIT RSET HELP'.split(' '), ...allowed];
  }

  async quit(): Promise<Reply> {
    const reception = this.#reception;
    const { acls, runtime, hostname } = reception;
    const result: AclResult | undefined = await acls.run('QUIT', runtime.config.main.acl_smtp_quit);
    if (result?.outcome === 'error') runtime.logs.panic(`ACL for QUIT returned ERROR: ${result.logMessage}`);
    else this.#mayNotFail(result, 'QUIT');
    return { code: '221', text: result?.userMessage || `${hostname} closing connection` };
  }

  async notQuit(reason: NotQuitReason, reply: Reply | undefined): Promise<Reply | undefined> {
    const { acls, runtime, connection } = this.#reception;
    connection.notQuitReason = reason;
    const result = await acls.run('notquit', runtime.config.main.acl_smtp_notquit);
    if (result?.outcome === 'error') runtime.logs.panic(`ACL for not-QUIT returned ERROR: ${result.logMessage}`);
    else this.#mayNotFail(result, 'not-QUIT');
    // the text is sent as it stands, behind the code that was to be sent
    return reply === undefined || !result?.userMessage ? reply : { code: reply.code, text: result.userMessage };
  }

  /** Nothing is left that could be refused. */
  #mayNotFail(result: AclResult | undefined, phase: 'QUIT' | 'not-QUIT'): void {
    if (result?.verb === undefined || result.outcome === 'accept') return;
    this.#reception.runtime.logs.panic(
      `ACL for ${phase} returned ERROR: QUIT or not-QUIT toplevel ACL may not fail ('${result.verb}' verb used incorrectly)`,
    );
  }

  note(command: string, verb: string | undefined, argument: string): void {
    const { connection } = this.#reception;
    if (verb === 'MAIL') this.#reception.hasSeenMail = true;
    connection.command = command;
    connection.commandArgument = argument;
    if (verb === undefined) return;
    connection.commandHistory.push(verb);
    if (connection.commandHistory.length > 20) connection.commandHistory.shift();
  }

  mistake(kind: 'syntax' | 'protocol', command: string, what: string): void {
    const { runtime, fields, selects } = this.#reception;
    if (!selects(kind === 'syntax' ? 'smtp_syntax_error' : 'smtp_protocol_error')) return;
    const eightBit = runtime.settings.printTopBitCharacters;
    const shown = printing(command.replaceAll('\0', '?'), eightBit).replaceAll('\\t', '\t');
    runtime.logs.main(`SMTP ${kind} error in "${shown}"${fields} ${shownInLog(what)}`);
  }

  withoutHelo(): void {
    const { runtime, name } = this.#reception;
    runtime.logs.reject(`rejected MAIL from ${name}: no HELO/EHLO given`);
  }

  dropped(why: string): void {
    const { runtime, name } = this.#reception;
    const shown = printingLine(why, runtime.settings.printTopBitCharacters);
    runtime.logs.reject(`SMTP call from ${name} dropped: ${shown}`);
  }

  unsynchronized(why: string, command: string | undefined, next: string): void {
    const { runtime, fields } = this.#reception;
    const shown = (text: string): string =>
      text
        .replace(/\r/g, '\\r')
        .replace(/\n/g, '\\n')
        .replace(/[\0-\x1f]/g, '?');
    const what =
      command === undefined ? `rejected connection from${fields}` : `rejected "${shown(command)}"${fields} next`;
    runtime.logs.reject(`SMTP protocol synchronization error (${why}): ${what} input="${shown(next)}"`);
  }

  pipelined(): void {
    this.#reception.connection.pipelining = 'used';
  }

  beganEarly(): void {
    this.#reception.connection.pipeConnect = 'used';
  }

  lost(why: 'end' | 'timeout', standing: Standing): void {
    const { runtime, name, otherSide, duration, connection, selects, isLogged } = this.#reception;
    if (why === 'timeout') runtime.logs.main(`SMTP command timeout on connection from ${name} ${duration}`);
    else if (standing === 'before MAIL') {
      if (isLogged) runtime.logs.main(`SMTP connection from ${otherSide} lost ${duration}`);
    } else if (!selects('lost_incoming_connection')) return;
    else if (connection.hostAddress === '') {
      runtime.logs.main(`unexpected EOF while reading SMTP command from ${name} ${duration}`);
    } else {
      runtime.logs.main(`unexpected disconnection while reading SMTP command from ${name} ${duration}`);
    }
  }

  ended(how: SessionEnd): void {
    const { runtime, client, name, otherSide, duration, connection, selects, hasSeenMail, isLogged } = this.#reception;
    if (client.isBatch || this.#isTurnedAway) return;
    if (isLogged && how === 'quit') {
      runtime.logs.main(`SMTP connection from ${otherSide} closed by QUIT`);
    }
    if (!hasSeenMail && selects('smtp_no_mail')) {
      const commands = connection.commandHistory.length === 0 ? '' : ` C=${connection.commandHistory.join(',')}`;
      runtime.logs.main(`no MAIL in SMTP connection from ${name} ${duration}${commands}`);
    }
  }
}

/** As many recipients as a log line may hold; Exim's lines end after 8192 octets, too. */
function withinLine(recipients: readonly string[]): string {
  const limit = 7000;
  const first = recipients.slice(0, limit).join(' ');
  if (first.length <= limit) return first;
  const end = first.lastIndexOf(' ', limit);
  return `${first.slice(0, end < 0 ? limit : end)} ...`;
}
