/** What expansions, lists and ACLs ask of their surroundings (`expand/context.ts`), answered with the real things. */

import type { Config } from '../config/config.ts';
import type { ConnectionFacts, Context, ListKind, RunAnswer, Services } from '../expand/context.ts';
import { expandText } from '../expand/expand.ts';
import { makePerl } from '../expand/perl-process.ts';
import type { AuthenticationAnswer, Credentials, SocketAnswer, SocketRequest } from '../expand/questions.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { matchIp, matchList } from '../lists/match.ts';
import type { Lookups } from '../lookups/lookups.ts';
import { formatIp, isIp, parseIp } from '../net/address.ts';
import { askSocket } from '../net/ask-socket.ts';
import type { Resolver } from '../net/dns.ts';
import { hostNames, type NameLookup } from '../net/host-names.ts';
import { localAddresses, mailExchangers, systemAddresses } from '../net/hosts.ts';
import { askSaslauthd } from '../net/saslauthd.ts';
import { servicePort } from '../net/service-ports.ts';
import type { LogSelector } from '../observe/log-selectors.ts';
import { withFullRights } from '../safe/privileges.ts';
import { type ProgramResult, run, taintedArgument } from '../safe/spawn.ts';
import { type Clean, clean, literal, pathOf, Text } from '../safe/taint.ts';
import type { Spool } from '../spool/spool.ts';
import { otherSide } from './arrival-log.ts';

/** What the services stand on. */
export interface Ground {
  readonly config: Config;
  readonly lookups: Lookups;
  readonly resolver: Resolver;
  /** Where this program lies. */
  readonly programDirectory: Clean;
  /** Not there while the settings are being expanded. */
  readonly spool: Spool | undefined;
  log(text: string): void;
  selects(selector: LogSelector): boolean;
}

/** Loaded when it is used. */
const tlsClient = () => import('../net/ask-tls.ts');

const listNames: Readonly<Record<ListKind, string>> = {
  domain: 'domain',
  host: 'host',
  address: 'address',
  localpart: 'local part',
};

const runTimeout = 60_000;
const runMaximumOutput = 16 * 1024 * 1024;

async function runProgram(
  command: readonly Text[],
  strict: boolean,
  context: Context,
): Promise<RunAnswer | { readonly error: string }> {
  const [name, ...args] = command;
  if (name === undefined) return { error: 'missing command for ${run} expansion' };
  const program = clean(name);
  if (program === undefined) return { error: `Tainted '${name.value}' (command '${name.value}') not permitted` };
  if (!program.startsWith('/')) return { status: 127, output: '' };
  const tainted = strict ? args.find((arg) => !arg.isClean) : undefined;
  if (tainted !== undefined) return { error: `Tainted arg '${tainted.value}' for ${name.value} command not permitted` };
  const user = context.filter?.user;
  const running = (): Promise<ProgramResult> =>
    run(
      {
        program,
        uid: user?.uid,
        gid: user?.gid,
        args: args.map((arg) => taintedArgument(arg, '${run} splits its command before it expands the arguments')),
        environment: Object.fromEntries(context.settings.environment),
        directory: literal('/'),
        umask: 0o077,
        timeout: runTimeout,
        maximumOutput: runMaximumOutput,
      },
      async () => undefined,
    );
  const result = await (user === undefined ? running() : withFullRights(running));
  switch (result.outcome) {
    case 'exited':
      return { status: result.status, output: result.output.toString('latin1') };
    case 'signalled':
      return { error: `command "${program}" died on signal ${result.signal}` };
    case 'timeout':
      return { error: `command timed out` };
    case 'not run':
      return { status: 127, output: '' };
  }
}

/** The host and port of `inet:host:port`; an IPv6 address may stand in brackets or without. */
function inetPlace(name: string): { readonly host: string; readonly port: number } | { readonly error: string } {
  const colon = name.lastIndexOf(':');
  if (colon < 0) return { error: `missing port for readsocket ${name}` };
  const service = name.slice(colon + 1);
  const port = /^\d+$/.test(service) ? Number(service) & 0xffff : servicePort(service);
  if (port === undefined) return { error: `unknown port "${service}" for readsocket ${name}` };
  return { host: name.slice(0, colon), port };
}

async function readInetSocket(request: SocketRequest): Promise<SocketAnswer> {
  const place = inetPlace(request.name.value.slice('inet:'.length));
  if ('error' in place) return { outcome: 'failed', message: place.error };
  const { host, port } = place;
  const literalAddress = host.replace(/^\[(.*)\]$/s, '$1');
  let addresses: readonly string[] = [literalAddress];
  if (!isIp(literalAddress)) {
    const found = await systemAddresses(host);
    if (found.outcome !== 'found') return { outcome: 'failed', message: `no IP address found for host ${host}` };
    addresses = found.addresses;
  }
  let reason = '';
  for (const address of addresses) {
    const place = { address, port };
    const name = isIp(host) ? '' : host;
    const reply = request.tls
      ? await (await tlsClient()).askTls(place, request, name)
      : await askSocket(place, request);
    if (reply.outcome !== 'not connected') return reply;
    ({ reason } = reply);
  }
  return { outcome: 'failed', message: `failed to connect to any address for ${host}: ${reason}` };
}

async function readSocket(request: SocketRequest): Promise<SocketAnswer> {
  if (request.name.value.startsWith('inet:')) return readInetSocket(request);
  const path = clean(request.name);
  if (path === undefined) {
    return { outcome: 'failed', message: `Tainted name '${request.name.value}' for socket not permitted` };
  }
  const reply = request.tls
    ? await (await tlsClient()).askTls({ path }, request, '')
    : await askSocket({ path }, request);
  return reply.outcome === 'not connected'
    ? { outcome: 'failed', message: `failed to connect to socket ${path}: ${reply.reason}` }
    : reply;
}

/** Where Debian's saslauthd listens. */
const saslauthdSocket = literal('/var/run/saslauthd/mux');

/** The services that decide on a password; each knows the credentials that are made for it. */
const authenticationServices: {
  readonly [Service in keyof Credentials]: (
    credentials: Credentials[Service],
    ground: Ground,
  ) => Promise<AuthenticationAnswer>;
} = {
  saslauthd: (credentials) => askSaslauthd(saslauthdSocket, credentials),
  pam: async (credentials, { programDirectory }) =>
    (await import('./pam.ts')).askPamProcess(pathOf(programDirectory, literal('bin'), literal('tabella')), credentials),
  ldap: async ({ query }, { config }) =>
    (await import('../lookups/ldap-database.ts')).askLdapServer(config.main, query),
};

/** The addresses that count as this host's own (Exim spec 14, local_interfaces, extra_local_interfaces). */
export function ownAddresses(config: Config): readonly string[] {
  const extra = config.main.extra_local_interfaces?.items ?? [];
  const listed = (config.main.local_interfaces?.items ?? []).map((item) => interfaceAddress(item));
  const any = listed.length === 0 || listed.some((address) => address === '0.0.0.0' || address === '::');
  if (any) return localAddresses(extra);
  return [...listed, ...extra].flatMap((address) => {
    const octets = parseIp(address);
    return octets === undefined ? [] : [formatIp(octets)];
  });
}

/** The address of an item of local_interfaces: `1.2.3.4`, `1.2.3.4.25`, `[1.2.3.4]:25`. */
function interfaceAddress(item: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(item)?.[1];
  const text = bracketed ?? (isIp(item) ? item : item.replace(/\.\d+$/, ''));
  const octets = parseIp(text);
  return octets === undefined ? text : formatIp(octets);
}

const nameLookups: ReadonlySet<string> = new Set<NameLookup>(['bydns', 'byaddr']);

function isNameLookup(word: string): word is NameLookup {
  return nameLookups.has(word);
}

/** Looks for the name of the sending host, once per connection. */
async function findName(connection: ConnectionFacts, { config, resolver, log, selects }: Ground): Promise<void> {
  const words: readonly string[] = config.main.host_lookup_order?.items ?? ['bydns', 'byaddr'];
  const order = words.filter(isNameLookup);
  const found = await hostNames(resolver, connection.hostAddress, { order });
  if (found.outcome === 'found') {
    connection.hostName = found.names[0] ?? '';
    connection.hostAliases = found.names.slice(1);
    return;
  }
  connection.hostLookupFailed = found.outcome === 'unknown';
  connection.hostLookupDeferred = found.outcome === 'defer';
  if (found.outcome === 'unknown' && selects('host_lookup_failed')) log(found.message);
}

/** Connections whose host's name was looked for, or is being looked for. */
const nameSearches = new WeakMap<ConnectionFacts, Promise<void> | true>();

function findHostName(context: Context, ground: Ground): Eventual<void> {
  const { connection } = context;
  if (connection === undefined || connection.hostAddress === '' || connection.hostName !== '') return undefined;
  const known = nameSearches.get(connection);
  if (known !== undefined) return known === true ? undefined : known;
  const search = findName(connection, ground).then(() => {
    nameSearches.set(connection, true);
  });
  nameSearches.set(connection, search);
  return search;
}

interface ListText {
  readonly text: Text;
  readonly constant: boolean;
}

/** Texts of named lists; those without a dollar are the same for ever. */
function namedListItems(config: Config): Services['namedListItems'] {
  const constant = new Map<string, ListText>();
  return (kind, name, context) => {
    const key = `${kind} ${name}`;
    const known = constant.get(key);
    if (known !== undefined) return known;
    const list = config.namedLists[kind].get(name);
    if (list === undefined) return { error: `unknown named ${listNames[kind]} list "+${name}"` };
    if (!/[$\\]/.test(list.text)) {
      const text = { text: Text.configured(list.text), constant: true };
      constant.set(key, text);
      return text;
    }
    return then(expandText(Text.configured(list.text), context), (expansion) =>
      expansion.ok
        ? { text: expansion.text, constant: false }
        : { error: `failed to expand "${list.text}" while checking a list: ${expansion.message}` },
    );
  };
}

/** Everything but `runAcl`, which needs to know what it is run for. */
export function makeServices(ground: Ground): Omit<Services, 'runAcl'> {
  const { config, lookups, resolver } = ground;
  const perl = makePerl({
    startup: config.main.perl_startup,
    taintMode: config.main.perl_taintmode,
    environment: { PATH: '/usr/bin:/bin' },
    expand: (text, context) => expandText(Text.configured(text), context),
    log: (text) => ground.log(text),
    debug: () => undefined,
  });
  if (config.main.perl_at_start && ground.spool !== undefined) perl.start();
  let own: readonly string[] | undefined;
  return {
    lookupStyle: (type) => lookups.style(type),
    lookup: (request, context) => lookups.find(request, context),
    quote: (type, text, option) => lookups.quote(type, text, option),
    matchList: (kind, subject, list, context) => matchList(kind, subject, list, context),
    matchIp,
    namedList: (kind, name) => config.namedLists[kind].get(name)?.text,
    namedListItems: namedListItems(config),
    async hostAddresses(name, context) {
      const found = await systemAddresses(name);
      const during = context.message?.id === '' ? context.connection : undefined;
      if (found.outcome === 'unknown' && during !== undefined && ground.selects('host_lookup_failed')) {
        ground.log(`${found.message} (during SMTP connection from ${otherSide(during, ground.selects)})`);
      }
      return found;
    },
    async mailExchangers(domain) {
      const found = await mailExchangers(resolver, domain, {});
      return found.outcome === 'refuses' ? { outcome: 'unknown', message: `${domain} takes no mail` } : found;
    },
    localAddresses() {
      own ??= ownAddresses(config);
      return own;
    },
    run: runProgram,
    readSocket,
    callPerl: (name, args, context) => perl.call(name, args, context),
    authenticate: (service, credentials) => authenticationServices[service](credentials, ground),
    findHostName: (context) => findHostName(context, ground),
    log(text, selector) {
      if (selector === undefined || ground.selects(selector)) ground.log(text);
    },
    queueSize: () => ground.spool?.count() ?? 0,
  };
}
