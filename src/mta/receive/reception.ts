/** One SMTP session on the receiving side: what it knows of the client and of the message on its way (Exim spec 49). */

import type { ConnectionFacts, Context } from '../../expand/context.ts';
import { emptyMessage } from '../../expand/facts.ts';
import * as clock from '../../lib/clock.ts';
import { escapeSequence } from '../../lib/escapes.ts';
import { formatPassed } from '../../lib/intervals.ts';
import { type ListSetting, matchTemplate } from '../../lists/option.ts';
import type { ServerTls } from '../../net/tls.ts';
import type { Decisions } from '../../observe/decision.ts';
import type { LogSelector } from '../../observe/log-selectors.ts';
import type { ReturnPart, SpooledRecipient } from '../../spool/envelope.ts';
import { AclRunner } from '../acl-runner.ts';
import { hostFields, otherSide } from '../arrival-log.ts';
import type { Examiner } from '../logins.ts';
import { newContext, type Runtime } from '../runtime.ts';
import type { Client, ReceptionTools } from './client.ts';
import { Pace } from './slow-down.ts';

/** A message whose sender was accepted. */
export interface Transaction {
  readonly sender: string;
  readonly bodyType: '' | '7BIT' | '8BITMIME';
  readonly recipients: string[];
  /** What RCPT said about reports, for each of them. */
  readonly notifications: SpooledRecipient['notification'][];
  readonly returnPart: ReturnPart | undefined;
  readonly envelopeId: string | undefined;
  readonly smtpUtf8: boolean;
  /** The client wants an answer for each recipient. */
  readonly prdr: boolean;
  /** All RCPT commands that made sense, and those that were refused for good or for now. */
  attempts: number;
  refused: number;
  postponed: number;
  toldOfTooMany: boolean;
  /** It had more recipients than recipients_max, and recipients_max_reject is set: nothing of it is taken. */
  hasTooMany: boolean;
  /** The ACL that discarded all recipients, and its remark. */
  discardedBy: { readonly phase: string; readonly remark: string } | undefined;
}

export class Reception {
  readonly client: Client;
  readonly tools: ReceptionTools;
  readonly runtime: Runtime;
  readonly connection: ConnectionFacts;
  readonly context: Context;
  readonly acls: AclRunner;
  readonly begun = clock.now();
  transaction: Transaction | undefined;
  /** The ways to log in that the client was offered. */
  mechanisms: readonly Examiner[] = [];
  /** It was told of STARTTLS. */
  offersTls = false;
  /** What TLS begins with, once that is known to work. */
  tlsSettings: ServerTls | undefined;
  /** Extensions that the client was told of and that parameters depend on. */
  offers = { dsn: false, smtpUtf8: false, prdr: false };
  /** The client said EHLO. */
  extended = false;
  /** Its greeting was confirmed, as far as `helo_verify_hosts` asks for that. */
  heloIsWrong = false;
  /** Addresses that the client may leave without a domain, in header lines, too. */
  mayLackDomain = { sender: false, recipient: false };
  /** Octets that a message may have; 0 for no limit. */
  sizeLimit = 0;
  /** A MAIL command came, whatever became of it. */
  hasSeenMail = false;
  /** A message was begun. */
  hasSeenData = false;
  /** Messages taken in this session, and how many it may bring; 0 for no limit. */
  accepted = 0;
  messagesLimit = 0;
  /** Why an earlier message was queued when the load was too high. */
  loadWas: string | undefined;
  /** Beginning and end of the session are logged (smtp_connection, hosts_connection_nolog). */
  isLogged = false;
  /** How many MAIL commands the session has seen, and RCPT commands the message. */
  readonly paces = { mail: new Pace(), rcpt: new Pace() };
  /** Sends what was answered so far. */
  flush: () => Promise<void> = async () => undefined;

  constructor(client: Client, tools: ReceptionTools, decisions: Decisions) {
    this.client = client;
    this.tools = tools;
    this.runtime = tools.runtime;
    this.connection = client.connection;
    this.context = newContext(tools.runtime, decisions, (name, args) => this.acls.runFromExpansion(name, args));
    this.context.connection = client.connection;
    this.acls = new AclRunner(tools.runtime, this.context, {
      delay: (seconds) => this.pause(seconds),
      flush: () => this.flush(),
      allowUnqualifiedSenders: client.caller !== undefined,
      isTest: client.isTest,
      processes: tools.processes,
      makesCallouts: !client.isTest || client.makesCallouts === true,
    });
    this.forgetMessage();
  }

  /** Sends what was answered so far and waits; in a test nobody waits. */
  async pause(seconds: number): Promise<void> {
    if (this.client.isTest) return;
    await this.flush();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }

  /** A fresh state for the next message; texts and variables of the connection stay. */
  forgetMessage(): void {
    this.transaction = undefined;
    this.acls.forgetMessage();
    this.context.address = undefined;
    this.beginAnew();
  }

  /** What earlier commands have left in variables about a message is nothing to the next. */
  beginAnew(): void {
    this.context.acl = undefined;
    this.context.message = emptyMessage('', this.client.caller ?? this.runtime.user);
  }

  selects = (selector: LogSelector): boolean => this.runtime.logs.selects(selector);

  /** ` H=name (helo) [1.2.3.4] U=ident` for log lines. */
  get fields(): string {
    return hostFields(this.connection, this.selects);
  }

  /** The other side for the middle of a log line: `(helo) [1.2.3.4]`, or the name of the local user. */
  get name(): string {
    const { hostAddress, ident } = this.connection;
    return hostAddress === '' ? ident : this.fields.replace(/^ H=/, '');
  }

  /** The same without the user name at the other side. */
  get host(): string {
    return hostFields({ ...this.connection, ident: '' }, this.selects).replace(/^ H=/, '');
  }

  /** The other end of the line: a host, or whoever runs this program. */
  get otherSide(): string {
    return otherSide(this.connection, this.selects);
  }

  /** `H=… ` as in front of refusals. */
  get hostText(): string {
    return this.acls.hostText();
  }

  /** Finds out whether log lines tell of the connection (hosts_connection_nolog). */
  async decideLogging(): Promise<void> {
    const { hosts_connection_nolog: quiet } = this.runtime.config.main;
    this.isLogged = this.selects('smtp_connection') && !(await this.isIn(quiet));
  }

  /** Tells of the connection. */
  logConnection(): void {
    if (!this.isLogged) return;
    const { countAtStart } = this.connection;
    const count = countAtStart > 0 ? ` (TCP/IP connection count = ${countAtStart})` : '';
    this.runtime.logs.main(`SMTP connection from ${this.otherSide}${count}`);
  }

  /** How long the session has lasted, as logs show it: `D=5s`. */
  get duration(): string {
    const passed = clock.now() - this.begun;
    return `D=${formatPassed(passed / 1000, this.selects('millisec'))}`;
  }

  /** Whether the client is in a host list; one that cannot be told counts as not being in it, and is logged. */
  async isIn(list: ListSetting | undefined): Promise<boolean> {
    if (list === undefined) return false;
    const answer = await matchTemplate(list, this.connection.hostAddress, this.context);
    if (answer.outcome === 'defer') this.runtime.logs[answer.fault ? 'panic' : 'main'](answer.message);
    return answer.outcome === 'match';
  }

  /** An address without a domain was refused; the main log need not know. */
  logUnqualified(kind: 'sender' | 'recipient' | 'verify', address: string): void {
    const line = shownInLog(`unqualified ${kind} rejected: <${address}>${this.fields}`);
    this.runtime.logs.rejectFor('smtp_syntax_error', line);
  }

  /** Whether an extension is offered to the client; who talks to us through a pipe is offered all that anybody is. */
  async isOffered(hosts: ListSetting | undefined): Promise<boolean> {
    if (this.connection.hostAddress !== '') return this.isIn(hosts);
    return hosts !== undefined && hosts.template.source !== '';
  }

  get hostname(): string {
    return this.connection.activeHostname.value || this.runtime.settings.primaryHostname;
  }
}

/** What a client said, for a log line: control characters are shown by number, so that no terminal obeys them. */
export function shownInLog(text: string): string {
  return text.replace(/[\0-\x08\x0a-\x1f\x7f]/g, escapeSequence);
}
