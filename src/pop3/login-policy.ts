/**
 * What a POP3 session is told by the configuration: its authenticators say who may come in, its routers where his mail
 * lies, its main options when TLS is there. What happens is written to the main log.
 */

import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { formatInterval } from '../lib/intervals.ts';
import { matchTemplate } from '../lists/option.ts';
import { hostFields, tlsFields } from '../mta/arrival-log.ts';
import { PasswordWatch } from '../mta/empty-password.ts';
import { type Examiner, evenly, type Login, logIn, mechanismNamed, offered } from '../mta/logins.ts';
import { mailboxOf } from '../mta/mailbox-of.ts';
import type { Mailboxes } from '../mta/mailboxes.ts';
import { nameOf, passwordConversation, passwordExaminer, showsPassword } from '../mta/password-login.ts';
import type { Runtime } from '../mta/runtime.ts';
import { serverTls } from '../mta/server-tls.ts';
import type { ServerTls, TlsOutcome } from '../net/tls.ts';
import type { LogSelector } from '../observe/log-selectors.ts';
import type { FailedHosts } from './failed-hosts.ts';
import type { LoginAnswer, Offers, Pop3Policy, Refusal, SaslExchange, SessionEnd, Tally } from './policy.ts';

/** The same for a wrong password, for a name that nobody has, and for one without a mailbox. */
const wrong: Refusal = { code: 'AUTH', text: 'authentication failed' };
const later: Refusal = { code: 'SYS/TEMP', text: 'please try again later' };
const never: Refusal = { code: 'SYS/PERM', text: 'the mailbox cannot be opened' };
const inUse: Refusal = { code: 'IN-USE', text: 'the mailbox is in use' };

const refused = (refusal: Refusal, isFailure = false): LoginAnswer => ({ outcome: 'refused', refusal, isFailure });

/** Names from clients in log lines: one word, so that nothing behind it can be forged. */
const shown = (name: string): string => name.slice(0, 300).replace(/[\x00-\x20\x7f]/g, '?');

const ends: Readonly<Record<SessionEnd, string>> = {
  quit: '',
  lost: ' (connection lost)',
  timeout: ' (timeout)',
  closed: ' (closed)',
};

/** What all sessions share. */
export interface Pop3Tools {
  readonly runtime: Runtime;
  readonly mailboxes: Mailboxes;
  readonly failedHosts: FailedHosts;
}

export class LoginPolicy implements Pop3Policy {
  readonly #runtime: Runtime;
  readonly #context: Context;
  readonly #tools: Pop3Tools;
  readonly #begun = clock.now();
  #name = '';

  /** `context` holds the facts of the connection. */
  constructor(tools: Pop3Tools, context: Context) {
    this.#runtime = tools.runtime;
    this.#context = context;
    this.#tools = tools;
  }

  #log(what: string, more = ''): void {
    this.#runtime.logs.main(`pop3 ${what}${this.#fields()}${more}`);
  }

  /** ` H=… X=… A=… U=…` */
  #fields(name = this.#name): string {
    const { connection } = this.#context;
    if (connection === undefined) return '';
    const selects = (selector: LogSelector): boolean => this.#runtime.logs.selects(selector);
    const authenticator = connection.authenticator === '' ? '' : ` A=${connection.authenticator}`;
    const user = name === '' ? '' : ` U=${shown(name)}`;
    return `${hostFields(connection, selects)}${tlsFields(connection.tls, selects)}${authenticator}${user}`;
  }

  async greet(): Promise<{ readonly text: string }> {
    return { text: `${this.#runtime.settings.primaryHostname} POP3 Tabella` };
  }

  /** Nobody else reads what is said. */
  get #isPrivate(): boolean {
    const { connection } = this.#context;
    if (connection === undefined || connection.tls !== undefined) return true;
    const { hostAddress, interfaceAddress } = connection;
    return /^127\.|^::1$/.test(hostAddress) || hostAddress === interfaceAddress;
  }

  async #examiners(): Promise<readonly Examiner[]> {
    const found = await offered(this.#runtime, this.#context);
    const mayShow = this.#isPrivate || !this.#runtime.config.main.pop3_disable_plaintext;
    return mayShow ? found : found.filter((examiner) => !showsPassword(examiner));
  }

  async offers(): Promise<Offers> {
    const examiners = await this.#examiners();
    return {
      userAndPass: passwordExaminer(examiners) !== undefined,
      mechanisms: [...new Set(examiners.map(nameOf))],
      startTls: this.#context.connection?.tls === undefined && (await this.#advertisesTls()),
    };
  }

  async #advertisesTls(): Promise<boolean> {
    const { tls_advertise_hosts: list } = this.#runtime.config.main;
    const address = this.#context.connection?.hostAddress ?? '';
    return list !== undefined && (await matchTemplate(list, address, this.#context)).outcome === 'match';
  }

  async login(user: string, password: string): Promise<LoginAnswer> {
    const begun = clock.elapsed();
    const examiner = passwordExaminer(await this.#examiners());
    // a password of no length lets nobody in, whatever an authenticator thinks of it; NUL would end the name
    if (examiner === undefined || password === '' || /\0/.test(user + password)) {
      return this.#failure(begun, user, password === '' ? 'empty password' : 'no authenticator takes it');
    }
    const login = await logIn(examiner, passwordConversation(examiner, user, password), this.#context);
    return this.#after(login, user, begun, examiner);
  }

  async authenticate(mechanism: string, exchange: SaslExchange): Promise<LoginAnswer> {
    const begun = clock.elapsed();
    const examiner = mechanismNamed(mechanism, await this.#examiners());
    if (examiner === undefined) return this.#failure(begun, '', 'no authenticator takes it');
    const watch = new PasswordWatch(exchange);
    const login = await logIn(examiner, watch, this.#context);
    if (login.outcome === 'accepted' && watch.isEmpty(nameOf(examiner))) {
      return this.#failure(begun, login.id, 'empty password');
    }
    return this.#after(login, '', begun, examiner);
  }

  async #after(login: Login, user: string, begun: number, { name }: Examiner): Promise<LoginAnswer> {
    const { outcome } = login;
    if (outcome === 'lost' || outcome === 'malformed') return { outcome };
    if (outcome === 'cancelled' && user === '') return { outcome };
    if (outcome === 'deferred') {
      this.#tell(login.id || user, `${name} authenticator: ${login.message}`);
      return refused(later);
    }
    if (outcome !== 'accepted') return this.#failure(begun, login.id || user, `${name} authenticator refused it`);
    const found = login.id || user;
    if (found === '') return this.#failure(begun, '', `${name} authenticator has no server_set_id`);
    return this.#open(found, begun);
  }

  /** Writes why somebody was not let in. */
  #tell(name: string, why: string): void {
    this.#runtime.logs.write(['main', 'reject'], `pop3 login failed${this.#fields(name)}: ${why}`);
  }

  async #failure(begun: number, name: string, why: string): Promise<LoginAnswer> {
    const { connection } = this.#context;
    if (connection !== undefined) connection.authenticator = '';
    this.#tell(name, why);
    await evenly(begun, this.#tools.failedHosts.failed(connection?.hostAddress ?? ''));
    return refused(wrong, true);
  }

  async #open(name: string, begun: number): Promise<LoginAnswer> {
    const found = await mailboxOf(name, this.#runtime);
    if (found.outcome !== 'found') {
      if (found.outcome === 'none') return this.#failure(begun, name, `no mailbox: ${found.message}`);
      this.#tell(name, found.message);
      return refused(later);
    }
    const opened = await this.#tools.mailboxes.open(found.place, found.rights);
    if (opened.outcome === 'opened') {
      this.#name = name;
      this.#log('login');
      const { unreadable } = opened.mailbox;
      if (unreadable > 0) this.#log('error', `: ${unreadable} messages of ${found.place.path} cannot be read`);
      return opened;
    }
    this.#tell(name, opened.message);
    if (opened.outcome === 'in use') return refused(inUse);
    return refused(opened.lasting ? never : later);
  }

  async tlsSettings(): Promise<ServerTls | undefined> {
    try {
      const settings = await serverTls(this.#runtime, this.#context, 'pop3');
      // a certificate that cannot be had is told before the client begins
      await settings.contextFor(undefined);
      return settings;
    } catch (error) {
      this.#runtime.logs.panic(`pop3 TLS error${this.#fields()}: ${errorText(error)}`);
      return undefined;
    }
  }

  secured(outcome: TlsOutcome): void {
    const { connection } = this.#context;
    if (outcome.outcome === 'failed') this.#log('TLS error', `: ${outcome.text}`);
    else if (connection !== undefined) connection.tls = outcome.facts;
  }

  dropped(why: string): void {
    this.#log('session dropped', `: ${why}`);
  }

  failed(message: string): void {
    this.#log('error', `: ${message}`);
  }

  ended(how: SessionEnd, tally: Tally | undefined): void {
    if (tally === undefined) return;
    const { retrieved, tops, octets, removed, left } = tally;
    const counts = ` retr=${retrieved} top=${tops} octets=${octets} dele=${removed} left=${left}`;
    const duration = formatInterval(Math.floor((clock.now() - this.#begun) / 1000));
    this.#log(`logout${ends[how]}`, `${counts} D=${duration}`);
  }
}
