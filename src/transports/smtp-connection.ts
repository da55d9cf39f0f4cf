/** Opens an SMTP or LMTP session with one host: connects, hears its greeting and introduces us (Exim spec 30.4). */

import { constants } from 'node:os';
import type { Template } from '../expand/expand.ts';
import { printing } from '../lib/escapes.ts';
import { splitList } from '../lib/list-text.ts';
import type { ListSetting } from '../lists/option.ts';
import { ipVersion } from '../net/address.ts';
import { type Connected, connectTcp } from '../net/connect.ts';
import { isFailure } from '../smtp/client/failure.ts';
import { ClientSession } from '../smtp/client/session.ts';
import { type Verdict, verdictOf } from './smtp-failure.ts';
import { contextOf, isListed, type ReachableHost, type SmtpOptions, type SmtpRun, Unusable } from './smtp-run.ts';
import { type DeliveryError, errorCodes, type LocalEnd } from './transport.ts';

/** A session that is ready for transactions. */
export interface OpenConnection {
  readonly session: ClientSession;
  readonly local: LocalEnd;
  readonly pipelining: boolean;
}

/** Why a host cannot be used. */
export interface NotOpen extends Verdict {
  /** Whether there was a connection, so that the host can be said to have answered. */
  readonly connected: boolean;
}

/** The address that connections to this host come from (Exim spec 30.4, interface); @throws Unusable */
export async function interfaceFor(run: SmtpRun, host: ReachableHost): Promise<string | undefined> {
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

interface Requirement {
  readonly list: (options: SmtpOptions) => ListSetting | undefined;
  readonly error: DeliveryError;
}

/** What a host may be required to do, and this version cannot: the mail waits rather than going out unprotected. */
const requirements: readonly Requirement[] = [
  {
    list: (options) => options.hosts_require_tls,
    error: { code: errorCodes.tlsRequired, message: 'a TLS session is required, but this version has no TLS' },
  },
  {
    list: (options) => options.hosts_require_dane,
    error: { code: errorCodes.tlsRequired, message: 'DANE is required, but this version has no TLS' },
  },
  {
    list: (options) => options.hosts_require_auth,
    error: {
      code: errorCodes.authenticationFailed,
      message: 'authentication required, but this version cannot authenticate itself',
    },
  },
];

const failed = (error: DeliveryError, connected: boolean): NotOpen => ({
  outcome: 'deferred',
  of: 'host',
  error,
  connected,
});

/** The name we give; a line of SMTP cannot hold every name. */
async function heloName(run: SmtpRun, template: Template, host: ReachableHost): Promise<string | DeliveryError> {
  const expansion = await template.expand(contextOf(run, host));
  const problem = (message: string): DeliveryError => ({
    code: errorCodes.expansion,
    message: `failed to expand helo_data: ${message}`,
  });
  if (!expansion.ok) return problem(expansion.message);
  const name = expansion.text.value;
  return /[\0\r\n]/.test(name) ? problem(`line end in "${printing(name)}"`) : name;
}

/** @throws Unusable */
export async function openConnection(
  run: SmtpRun,
  host: ReachableHost,
  from: string | undefined,
): Promise<OpenConnection | NotOpen> {
  const { options, request } = run;
  for (const { list, error } of requirements) {
    if (await isListed(run, list(options), host)) return failed(error, false);
  }
  const { connect_timeout: timeout, keepalive: keepAlive } = options;
  const { decisions } = request.context;
  const { address, port } = host;
  const connection = await connectTcp({ address, port, from, timeout, keepAlive });
  if (decisions.listening) {
    const outcome = connection.outcome === 'connected' ? 'connected' : `failed: ${connection.text}`;
    decisions.dialogue(`Connecting to ${host.name} [${address}]:${port} ...  ${outcome}`);
  }
  if (connection.outcome === 'connected') return introduce(run, host, connection);
  const code = connection.code === 0 ? constants.errno.EIO : connection.code;
  const waited = connection.outcome === 'timeout' ? { timeout: 'connect' as const } : {};
  return failed({ code, message: '', ...waited }, false);
}

async function introduce(run: SmtpRun, host: ReachableHost, connection: Connected): Promise<OpenConnection | NotOpen> {
  const { options, protocol, request } = run;
  const { decisions } = request.context;
  const session = new ClientSession(connection.stream, {
    protocol,
    commandTimeout: options.command_timeout * 1000,
    trace: decisions.listening
      ? (direction, line, isFirst) =>
          decisions.dialogue(`${isFirst ? `  SMTP${direction} ` : '         '}${printing(line)}`)
      : undefined,
  });
  const giveUp = (verdict: Verdict): NotOpen => {
    session.quit();
    return { ...verdict, connected: true };
  };
  const greeting = await session.greeting();
  if (isFailure(greeting)) return giveUp(verdictOf(greeting));
  const name = await heloName(run, options.helo_data, host);
  if (typeof name !== 'string') return giveUp(failed(name, true));
  const extended = !(await isListed(run, options.hosts_avoid_esmtp, host));
  const answer = await session.hello(name, extended);
  if (isFailure(answer)) return giveUp(verdictOf(answer));
  const pipelining =
    session.extensions.has('PIPELINING') && !(await isListed(run, options.hosts_avoid_pipelining, host));
  return { session, local: { address: connection.localAddress, port: connection.localPort }, pipelining };
}
