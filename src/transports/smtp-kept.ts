/**
 * Connections that outlive a delivery, for other messages that wait for the same host (Exim spec 30.1, 49.1): when a
 * connection may be kept, and for which messages it will do.
 */

import type { AuthenticatorInstance } from '../authenticators/authenticator.ts';
import type { Template } from '../expand/expand.ts';
import type { ListSetting } from '../lists/option.ts';
import type { TlsFacts } from '../net/tls.ts';
import type { OpenConnection } from './smtp-connection.ts';
import { contextOf, isListed, type ReachableHost, type SmtpRun, type SmtpSetup } from './smtp-run.ts';
import type { DeliveryAddress, DeliveryRequest } from './transport.ts';

/** A connection between two messages. Whoever has it takes it or hangs up. */
export class KeptConnection {
  /** Name of the transport instance; the connection is for no other. */
  readonly transport: string;
  readonly host: ReachableHost;
  /** Messages that were sent over it. */
  readonly sent: number;
  /** What the host was told and asked for; a message that would have us do otherwise needs a connection of its own. */
  readonly identity: string;
  readonly tls: TlsFacts | undefined;
  readonly #connection: OpenConnection;
  /** Gives up what was held because of the connection (serialize_hosts). */
  readonly #release: () => void;
  #isTaken = false;

  constructor(
    transport: string,
    host: ReachableHost,
    connection: OpenConnection,
    more: { readonly sent: number; readonly identity: string; readonly release: () => void },
  ) {
    this.transport = transport;
    this.host = host;
    this.sent = more.sent;
    this.identity = more.identity;
    this.tls = connection.tls;
    this.#connection = connection;
    this.#release = more.release;
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Whether the host is still there and has not lost its patience meanwhile. */
  isFit(): Promise<boolean> {
    return this.#connection.session.isQuiet();
  }

  /** From now on somebody else hangs up, and releases what is held. */
  take(): { readonly connection: OpenConnection; readonly release: () => void } {
    this.#isTaken = true;
    return { connection: this.#connection, release: this.#release };
  }

  /** Says goodbye, unless the connection was taken. */
  hangUp(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.#connection.session.quit();
    this.#release();
  }
}

/** What a callout leaves to the delivery: MAIL and RCPT were said, and consented to (Exim spec 44.46, hold). */
export interface BegunTransaction {
  readonly connection: KeptConnection;
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** The transaction that a callout has begun, if it is for this host and is what would be said to it now. */
export async function begunFor(
  run: SmtpRun,
  host: ReachableHost,
  addresses: readonly DeliveryAddress[],
): Promise<BegunTransaction | undefined> {
  const { request, options } = run;
  const { begun } = request;
  if (begun === undefined || begun.connection.isTaken || !saysTheSame(begun, request, addresses)) return undefined;
  const { connection } = begun;
  const { name, address, port } = connection.host;
  if (name !== host.name || address !== host.address || port !== host.port) return undefined;
  if (options.max_rcpt > 0 && addresses.length > options.max_rcpt) return undefined;
  const mayLackTls = connection.tls === undefined && (await isListed(run, options.hosts_verify_avoid_tls, host));
  if (mayLackTls || (await identityFor(run, host, connection)) !== connection.identity) return undefined;
  return (await connection.isFit()) ? begun : undefined;
}

/** Whether MAIL and RCPT would be the same, but for the size: nothing about reports or UTF-8, and nobody else. */
function saysTheSame(
  { connection, sender, recipients }: BegunTransaction,
  { transport, returnPath, envelopeFacts, context }: DeliveryRequest,
  addresses: readonly DeliveryAddress[],
): boolean {
  const wanted = new Set(recipients);
  return (
    connection.transport === transport &&
    sender === returnPath &&
    addresses.length === recipients.length &&
    addresses.every(({ recipient, notification }) => wanted.delete(recipient) && !notification?.flags) &&
    envelopeFacts?.dsnRet === undefined &&
    envelopeFacts?.dsnEnvid === undefined &&
    context.message?.smtpUtf8 !== true
  );
}

/**
 * Whether other messages may go over a connection. TLS that an old server would not keep for us is not kept by us either:
 * to end it and begin it anew on the same connection, as Exim can, is in no standard.
 */
export async function isKeepable(run: SmtpSetup, host: ReachableHost, connection: OpenConnection): Promise<boolean> {
  const { hosts_nopass_tls: nopass, hosts_noproxy_tls: noproxy } = run.options;
  if (connection.tls !== undefined) {
    for (const list of [nopass, noproxy]) if (await isListed(run, list, host)) return false;
  }
  const [name] = connection.authenticator?.split(':') ?? [];
  const authenticator = run.services.authenticators.find((each) => each.name === name);
  return authenticator === undefined || !dependsOnMessage(authenticator);
}

/** Variables that differ from message to message. */
const ofMessages =
  /\$\{?(?:sender_|return_path|authenticated|[rbl]?h(?:eader)?_|local_part|domain|original|address|acl_|message|received|recipients|self|r_)/;

/** Whether another message would perhaps log in as somebody else. */
function dependsOnMessage({ options, common }: AuthenticatorInstance): boolean {
  return [...Object.values(options), ...Object.values(common)].some(
    (value) =>
      typeof value === 'object' && value !== null && 'source' in value && ofMessages.test(String(value.source)),
  );
}

const templates = [
  'interface',
  'helo_data',
  'tls_sni',
  'tls_certificate',
  'tls_privatekey',
  'tls_require_ciphers',
  'tls_verify_certificates',
  'tls_crl',
] as const;

const lists = [
  'hosts_require_tls',
  'hosts_avoid_tls',
  'hosts_require_auth',
  'hosts_try_auth',
  'hosts_avoid_esmtp',
  'hosts_require_dane',
  'hosts_require_ocsp',
  'hosts_require_alpn',
  'tls_verify_hosts',
  'tls_try_verify_hosts',
  'tls_verify_cert_hostnames',
] as const;

/** What all that makes a connection what it is comes to for this message. */
export async function identityFor(
  run: SmtpSetup,
  host: ReachableHost,
  { tls }: Pick<OpenConnection, 'tls'>,
): Promise<string> {
  const context = contextOf(run, host, tls);
  const parts: unknown[] = [];
  for (const name of templates) {
    const template: Template | undefined = run.options[name];
    const expansion = await template?.expand(context);
    parts.push(expansion?.ok === true ? expansion.text.value : null);
  }
  for (const name of lists) {
    const list: ListSetting | undefined = run.options[name];
    parts.push(await isListed(run, list, host));
  }
  return JSON.stringify(parts);
}
