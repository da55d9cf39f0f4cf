/** Opens an SMTP or LMTP session with one host: connects, hears its greeting and introduces us (Exim spec 30.4). */

import { constants } from 'node:os';
import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { errorNumberText } from '../lib/errno.ts';
import { printing } from '../lib/escapes.ts';
import { splitList } from '../lib/list-text.ts';
import { ipVersion } from '../net/address.ts';
import { connectTcp } from '../net/connect.ts';
import type { TlsFacts } from '../net/tls.ts';
import { isFailure } from '../smtp/client/failure.ts';
import { ClientSession } from '../smtp/client/session.ts';
import { replyText } from '../smtp/reply.ts';
import { logInAt } from './smtp-auth.ts';
import { daneOf } from './smtp-dane.ts';
import { EarlyTalk } from './smtp-early.ts';
import { type Verdict, verdictOf } from './smtp-failure.ts';
import { connectThrough, type Reached, usesProxies } from './smtp-proxies.ts';
import { contextOf, isListed, type ReachableHost, raiseAt, type SmtpSetup, Unusable } from './smtp-run.ts';
import { handshake, lostBehindHandshake, secure } from './smtp-tls.ts';
import { type DeliveryError, errorCodes, type LocalEnd } from './transport.ts';

/** A session that is ready for transactions. */
export interface OpenConnection {
  readonly session: ClientSession;
  readonly local: LocalEnd;
  readonly pipelining: boolean;
  /** How it was begun, when the host may be spoken to early. */
  readonly early: EarlyTalk | undefined;
  readonly chunking: boolean;
  readonly prdr: boolean;
  readonly tls: TlsFacts | undefined;
  /** Who we logged in as, if we did. */
  readonly authenticator: string | undefined;
  /** What MAIL names as the authenticated sender. */
  readonly sender: string | undefined;
}

/** Why a host cannot be used. */
export interface NotOpen extends Verdict {
  /** Whether there was a connection, so that the host can be said to have answered. */
  readonly connected: boolean;
}

/** The address that connections to this host come from (Exim spec 30.4, interface); @throws Unusable */
export async function interfaceFor(run: SmtpSetup, host: ReachableHost): Promise<string | undefined> {
  const { options, request } = run;
  const template = options.interface;
  if (template === undefined) return undefined;
  const expansion = await template.expand(contextOf(run, host));
  if (!expansion.ok) {
    if (expansion.kind === 'forced') return undefined;
    const what = `failed to expand "interface" option for ${request.transport} transport`;
    throw new Unusable(errorCodes.unknown, `${what}: ${expansion.message}`, true);
  }
  const family = ipVersion(host.address);
  for (const item of splitList(expansion.text.value).items) {
    const version = ipVersion(item);
    if (version === family) return item;
    if (version === undefined) {
      const what = `"${item}" is not a valid IP address for the "interface" option for ${request.transport} transport`;
      throw new Unusable(errorCodes.unknown, what, true);
    }
  }
  return undefined;
}

/** The event_action would not have it; the log names the reason. */
const objection: DeliveryError = { code: errorCodes.objection, message: '' };

const failed = (error: DeliveryError, connected: boolean): NotOpen => ({
  outcome: 'deferred',
  of: 'host',
  error,
  connected,
});

/** The name we give; a line of SMTP cannot hold every name. */
async function heloName(
  run: SmtpSetup,
  template: Template,
  host: ReachableHost,
  tls: TlsFacts | undefined,
): Promise<string | DeliveryError> {
  const expansion = await template.expand(contextOf(run, host, tls));
  const problem = (message: string): DeliveryError => ({
    code: errorCodes.expansion,
    message: `failed to expand helo_data: ${message}`,
  });
  if (!expansion.ok) return problem(expansion.message);
  const name = expansion.text.value;
  return /[\0\r\n]/.test(name) ? problem(`line end in "${printing(name)}"`) : name;
}

/**
 * `mayBeginEarly` is false when an earlier attempt to has shown that the host is not what it was taken for.
 *
 * @throws Unusable
 */
export async function openConnection(
  setup: SmtpSetup,
  host: ReachableHost,
  from: string | undefined,
  mayBeginEarly = true,
): Promise<OpenConnection | NotOpen> {
  const { services } = setup;
  const dane = await daneOf(setup, host);
  if (dane !== undefined && 'code' in dane) return failed(dane, false);
  const run: SmtpSetup = dane === undefined ? setup : { ...setup, dane };
  const begun = await connect(run, host, from, { manner: 'with TLS', mayBeginEarly });
  const first =
    begun === misjudged ? await connect(run, host, from, { manner: 'with TLS', mayBeginEarly: false }) : begun;
  if (first === misjudged) throw new Error('nothing was said early');
  if (!('reason' in first)) return first;
  const { reason } = first;
  services.log(`${reason}: delivering unencrypted to H=${host.name} [${host.address}] (not in hosts_require_tls)`);
  const second = await connect(run, host, from, { manner: 'in clear', mayBeginEarly: false });
  if (second === misjudged) throw new Error('nothing was said early');
  return 'reason' in second ? failed({ code: errorCodes.tlsFailed, message: second.reason }, true) : second;
}

/** TLS could not begin, and another connection may be made without. */
interface TryInClear {
  readonly reason: string;
}

/** What was said before the host had answered was not right for it; another connection is to be made without that. */
const misjudged = 'misjudged';

interface Manners {
  readonly manner: 'with TLS' | 'in clear';
  readonly mayBeginEarly: boolean;
}

async function connect(
  run: SmtpSetup,
  host: ReachableHost,
  from: string | undefined,
  manners: Manners,
): Promise<OpenConnection | NotOpen | TryInClear | typeof misjudged> {
  const { options, request } = run;
  const { connect_timeout: timeout, keepalive: keepAlive } = options;
  const { decisions } = request.context;
  const { address, port } = host;
  if ((await raiseAt(run, host, 'tcp:connect')) !== '') return failed(objection, false);
  const target = { address, port, from, timeout, keepAlive };
  const isProxied = usesProxies(run);
  const connection: Reached = isProxied ? await connectThrough(run, host, target) : await connectTcp(target);
  if (decisions.listening) {
    const outcome =
      connection.outcome === 'connected'
        ? 'connected'
        : `failed: ${connection.text || errorNumberText(connection.code)}`;
    const way = isProxied ? ' via proxy' : '';
    decisions.dialogue(`Connecting to ${host.name} [${address}]:${port}${way} ...  ${outcome}`);
  }
  if (connection.outcome === 'connected') return introduce(run, host, connection, manners);
  const code = connection.code === 0 ? constants.errno.EIO : connection.code;
  const waited = connection.outcome === 'timeout' ? { timeout: 'connect' as const } : {};
  return failed({ code, message: '', ...waited }, false);
}

async function introduce(
  setup: SmtpSetup,
  host: ReachableHost,
  connection: Extract<Reached, { readonly outcome: 'connected' }>,
  { manner, mayBeginEarly }: Manners,
): Promise<OpenConnection | NotOpen | TryInClear | typeof misjudged> {
  const { options, protocol, request } = setup;
  const local: LocalEnd =
    connection.proxy === undefined
      ? { address: connection.localAddress, port: connection.localPort }
      : { ...connection.proxy, isProxy: true };
  const run: SmtpSetup = { ...setup, local };
  const { decisions } = request.context;
  const session = new ClientSession(connection.stream, {
    protocol,
    commandTimeout: options.command_timeout * 1000,
    trace: decisions.listening
      ? (direction, line, isFirst) =>
          decisions.dialogue(`${isFirst ? `  SMTP${direction} ` : '         '}${printing(line)}`)
      : undefined,
  });
  const giveUp = async (verdict: Verdict, connected = true): Promise<NotOpen | typeof misjudged> => {
    const isVoid = session.misjudged || session.isAhead;
    session.quit();
    await raiseAt(run, host, 'tcp:close');
    return isVoid ? misjudged : { ...verdict, connected };
  };
  let tls: TlsFacts | undefined;
  if (options.protocol === 'smtps') {
    const begun = await handshake(run, host, session);
    if ('reason' in begun) {
      return giveUp({ ...failed({ code: errorCodes.tlsFailed, message: begun.reason }, true), quiet: true });
    }
    tls = begun.facts;
  }
  const early = await EarlyTalk.with(run, host, mayBeginEarly);
  const isEarly = early?.knows('clear') === true;
  if (!isEarly) {
    const greeting = await session.greeting();
    if (isFailure(greeting)) return giveUp(verdictOf(greeting));
    const against = await raiseAt(run, host, 'smtp:connect', replyText(greeting));
    if (against !== '') {
      return giveUp({ ...failed(objection, true), objection: `deferred by smtp:connect event expansion: ${against}` });
    }
  }
  const name = await heloName(run, options.helo_data, host, tls);
  if (typeof name !== 'string') return giveUp(failed(name, true));
  const extended = !(await isListed(run, options.hosts_avoid_esmtp, host));
  if (isEarly) early.introduce(session, name, 'clear');
  else {
    const answer = await session.hello(name, extended);
    const reply = isFailure(answer) ? ('reply' in answer ? answer.reply : undefined) : answer;
    if (reply !== undefined) await raiseAt(run, host, 'smtp:ehlo', replyText(reply));
    if (isFailure(answer)) return giveUp(verdictOf(answer));
    early?.heard(session, 'clear');
  }
  if (tls === undefined && protocol === 'smtp' && manner === 'with TLS') {
    const securing = await secure(run, host, session);
    if (securing.outcome === 'again in clear') return securing;
    if (securing.outcome === 'given up') return giveUp(securing.verdict);
    if (securing.outcome === 'secured') {
      tls = securing.facts;
      if (early?.knows('tls') === true) early.introduce(session, name, 'tls');
      else {
        const again = await session.hello(name, extended);
        if (isFailure(again)) {
          if (again.kind !== 'closed' && again.kind !== 'broken') return giveUp(verdictOf(again));
          session.close();
          const behind = lostBehindHandshake(run, securing.isRequired);
          if (behind.outcome === 'again in clear') return behind;
          return giveUp(behind.outcome === 'given up' ? behind.verdict : verdictOf(again));
        }
        early?.heard(session, 'tls');
      }
    }
  }
  const context = contextOf(run, host, tls);
  const login = await logInAt(run, host, session, context);
  if ('verdict' in login) return giveUp(login.verdict, login.verdict.quiet !== true);
  early?.conclude();
  const { authenticator } = login;
  const pipelining =
    session.extensions.has('PIPELINING') && !(await isListed(run, options.hosts_avoid_pipelining, host));
  return {
    session,
    local,
    pipelining,
    early,
    chunking:
      protocol === 'smtp' &&
      session.extensions.has('CHUNKING') &&
      (await isListed(run, options.hosts_try_chunking, host)),
    prdr: protocol === 'smtp' && session.extensions.has('PRDR') && (await isListed(run, options.hosts_try_prdr, host)),
    tls,
    authenticator,
    sender: await authenticatedSender(run, authenticator !== undefined, context),
  };
}

/** The connection as it is for another message (PRDR is not used then, as Exim does not). @throws Unusable */
export async function forNextMessage(
  run: SmtpSetup,
  host: ReachableHost,
  connection: OpenConnection,
): Promise<OpenConnection> {
  const context = contextOf({ ...run, local: connection.local }, host, connection.tls);
  const sender = await authenticatedSender(run, connection.authenticator !== undefined, context);
  const { session } = connection;
  session.settings = { ...session.settings, commandTimeout: run.options.command_timeout * 1000 };
  return { ...connection, early: undefined, prdr: false, sender };
}

/** The sender that AUTH= names, if any (Exim spec 30.4, authenticated_sender). @throws Unusable */
async function authenticatedSender(
  { options, request }: SmtpSetup,
  isAuthenticated: boolean,
  context: Context,
): Promise<string | undefined> {
  const expansion = await options.authenticated_sender?.expand(context);
  if (expansion !== undefined && !expansion.ok && expansion.kind !== 'forced') {
    throw new Unusable(errorCodes.expansion, `failed to expand authenticated_sender: ${expansion.message}`);
  }
  if (!isAuthenticated && !options.authenticated_sender_force) return undefined;
  const given = expansion?.ok === true ? expansion.text.value : '';
  const known = isAuthenticated ? (request.context.message?.authenticatedSender ?? '') : '';
  return given || known || undefined;
}
