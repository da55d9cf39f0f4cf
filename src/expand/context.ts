/**
 * What an expansion may know of its surroundings and ask of them. The facts are filled in by those who receive, route
 * and deliver; the services are handed in from above, because lookups, lists and ACLs stand on higher floors.
 *
 * A context belongs to one line of work, in which one expansion ends before the next begins. Plain strings in the facts
 * are untrusted; what somebody vouched for is a `Text`.
 */

import type { Eventual } from '../lib/eventual.ts';
import type { HeaderLine } from '../mail/header-line.ts';
import type { Endpoint } from '../net/proxy-protocol.ts';
import type { TlsFacts } from '../net/tls.ts';
import type { Decisions } from '../observe/decision.ts';
import type { LogSelector } from '../observe/log-selectors.ts';
import type { ArcAnswer } from '../origin/arc-verify.ts';
import type { DmarcAnswer } from '../origin/dmarc.ts';
import type { SpfAnswer } from '../origin/spf.ts';
import type { Clean, Text } from '../safe/taint.ts';
import type { DkimFacts, MimeFacts, SpamFacts } from './content-facts.ts';
import type { AuthenticationAnswer, Credentials, PerlAnswer, SocketAnswer, SocketRequest } from './questions.ts';

/** Values of the configuration that variables show. */
export interface Settings {
  readonly primaryHostname: string;
  readonly qualifyDomain: string;
  readonly qualifyRecipient: string;
  readonly spoolDirectory: string;
  readonly configFile: string;
  readonly eximPath: string;
  readonly eximUid: number;
  readonly eximGid: number;
  readonly localhostNumber: string;
  readonly bounceReturnSizeLimit: number;
  readonly headersCharset: string;
  readonly printTopBitCharacters: boolean;
  /** Octets above 127 may stand in domains. */
  readonly allowUtf8Domains: boolean;
  readonly checkRfc2047Length: boolean;
  readonly strictAclVars: boolean;
  /** `$sender_rcvhost` shows the port (log selector incoming_port). */
  readonly logsIncomingPort: boolean;
  readonly messageBodyVisible: number;
  readonly messageBodyNewlines: boolean;
  readonly logFileDirectory: string | undefined;
  /** `$spf_guess`. */
  readonly spfGuess: string;
  /** Variables of the environment that expansions may see (keep_environment, add_environment). */
  readonly environment: ReadonlyMap<string, string>;
}

/** The connection or process a message comes from. */
export interface ConnectionFacts {
  /** IP address of the sending host, empty for a local process. */
  hostAddress: string;
  hostPort: number;
  interfaceAddress: string;
  interfacePort: number;
  /** Confirmed name of the host, empty when there is none or it was not looked for. */
  hostName: string;
  /** Further confirmed names. */
  hostAliases: readonly string[];
  /** A local process says that it speaks for this host (`-oMa`); nobody is connected. */
  readonly isPretended?: boolean | undefined;
  /** Nothing is handed over, so that `$sender_fullhost` and `$sender_rcvhost` are not made of it. */
  handsNothingOver?: boolean;
  hostLookupFailed: boolean;
  hostLookupDeferred: boolean;
  heloName: string;
  /** What `verify = csa` has come to. */
  csaStatus?: string | undefined;
  /** RFC 1413 answer, or the login name of a local caller. */
  ident: string;
  activeHostname: Text;
  receivedProtocol: string;
  authenticator: string;
  /** The name the client knows the authenticator by. */
  authenticatorPublicName?: string;
  authenticatedId: string;
  authenticatedFailId: string;
  authenticationFailed: boolean;
  /** What was agreed on with the client, when the connection is encrypted. */
  tls: TlsFacts | undefined;
  /** The command being handled and its argument, as received. */
  command: string;
  commandArgument: string;
  commandHistory: string[];
  countAtStart: number;
  /** Why the session ends without QUIT, while its ACL runs. */
  /** The client was told that it may send several commands at once, and did. */
  pipelining?: 'offered' | 'used' | undefined;
  notQuitReason: string;
  /** It was told that commands may come before the greeting, and did send some. */
  pipeConnect?: 'offered' | 'used' | undefined;
  /** A proxy has made the connection. */
  readonly proxy?: ProxyFacts | undefined;
  /** `$acl_c…` by the name behind `acl_c`. */
  readonly aclVariables: Map<string, Text>;
}

/** What is known of a proxy in front of this server (Exim spec 59.1). */
export interface ProxyFacts {
  /** It did not say for whom it speaks, and is told nothing. */
  readonly isRefused: boolean;
  /** Its end of the connection to this server, and of that to the client. */
  readonly local?: Endpoint;
  readonly external?: Endpoint;
}

/** The message being received or delivered. */
export interface MessageFacts {
  id: string;
  sender: string;
  /** The sender before rewriting, when that changed it. */
  recipients: readonly string[];
  recipientsCount: number;
  headers: readonly HeaderLine[];
  /** Octets of the whole message, of its body; -1 while not known. */
  size: number;
  bodySize: number;
  lineCount: number;
  bodyLineCount: number;
  bodyZeroCount: number;
  maxReceivedLineLength: number;
  /** It came with SMTPUTF8. */
  smtpUtf8: boolean;
  /** Its recipients get an answer each. */
  prdrRequested: boolean;
  /** Seconds since 1970. */
  receivedTime: number;
  receivedCount: number;
  /** The one recipient, while the Received: line is made. */
  receivedFor: string;
  originatorUid: number;
  originatorGid: number;
  authenticatedSender: string;
  rcptCount: number;
  rcptDeferCount: number;
  rcptFailCount: number;
  /** While a bounce or a warning is written. */
  bounceRecipient: string;
  warningDelay: string;
  warningRecipients: string;
  spam?: SpamFacts | undefined;
  dkim?: DkimFacts | undefined;
  /** What was found out about its sender, when somebody asked. */
  spf?: SpfAnswer | undefined;
  /** What its chain of ARC sets came to, when somebody asked. */
  arc?: ArcAnswer | undefined;
  /** What DMARC says of it, when somebody asked. */
  dmarc?: DmarcAnswer | undefined;
  /** While a MIME ACL runs; and how many parts were seen before the last one, from then on. */
  mime?: MimeFacts | undefined;
  mimePartCount?: number;
  /** `$acl_m…` by the name behind `acl_m`. */
  readonly aclVariables: Map<string, Text>;
  /** The first `limit` octets of the body, or the last. */
  body(limit: number, from: 'start' | 'end'): Eventual<string>;
}

/** The address being verified, routed or delivered. */
export interface AddressFacts {
  localPart: string;
  domain: string;
  localPartPrefix: Text;
  localPartPrefixVariable: Text;
  localPartSuffix: Text;
  localPartSuffixVariable: Text;
  domainData: Text | undefined;
  localPartData: Text | undefined;
  originalLocalPart: string;
  originalDomain: string;
  parentLocalPart: string;
  parentDomain: string;
  addressData: Text | undefined;
  addressFile: Text | undefined;
  addressPipe: Text | undefined;
  /** `$r_…` by the whole name. */
  readonly routerVariables: Map<string, Text>;
  routerName: string;
  selfHostname: string;
  home: Text | undefined;
  localUserUid: number | undefined;
  localUserGid: number | undefined;
}

/** A delivery by a transport. */
export interface DeliveryFacts {
  transportName: string;
  returnPath: string;
  host: string;
  hostAddress: string;
  /** -1 when the host has no port of its own and is not connected to yet. */
  hostPort: number;
  /** This side of the connection to the host, when there is one. */
  local?: { readonly address: string; readonly port: number } | undefined;
  inode: number;
  pipeAddresses: readonly string[];
  /** What was agreed on with the server, when the connection is encrypted. */
  tls?: TlsFacts | undefined;
  /** While it is signed: for whom, and by which key. */
  dkim?: { readonly domain: Text; readonly selector: Text } | undefined;
  firstDelivery: boolean;
  queueRunning: boolean;
}

/** What ACL conditions have found out. */
export interface AclFacts {
  arguments: readonly Text[];
  verifyMessage: string;
  senderVerifyFailure: string;
  recipientVerifyFailure: string;
  verifyMode: 'S' | 'R' | '';
  senderAddressData: Text | undefined;
  senderData: Text | undefined;
  recipientData: Text | undefined;
  hostData: Text | undefined;
  headersAdded: readonly { readonly text: string }[];
  /** The entry of a DNS list that matched. */
  dnsList?: { readonly domain: string; readonly matched: string; readonly value: string; readonly text: string };
  /** Where the last scanner or callout was connected to. */
  calloutAddress?: string;
  /** The virus that was found. */
  malwareName?: string;
  /** The regular expression that matched the message, and what it captured. */
  regexMatch?: readonly string[] | undefined;
  /** What a ratelimit condition measured, and the limit and period as they were written. */
  rate?: { readonly rate: string; readonly limit: string; readonly period: string };
}

/** Something that happened to a message or a connection, while event_action is expanded (Exim spec 61). */
export interface EventFacts {
  readonly name: string;
  readonly data: string;
  /** The number of the error, for what has to wait. */
  readonly code: number;
}

/** Values that expansions set for each other and put back afterwards. */
export interface Results {
  /** `$0`, `$1` … of the last successful match. */
  numeric: readonly Text[];
  value: Text;
  item: Text | undefined;
  runrc: number;
}

export interface LookupRequest {
  /** The search type as written, with `partial`, `*` and options. */
  readonly type: string;
  /** For single-key types. */
  readonly key: Text | undefined;
  /** The file, or for a query-style type the query. */
  readonly fileOrQuery: Text;
}

export type LookupAnswer =
  | {
      readonly outcome: 'found';
      readonly value: Text;
      readonly wild?: Text | undefined;
      readonly fixed?: Text | undefined;
    }
  | { readonly outcome: 'not found' }
  | { readonly outcome: 'defer'; readonly message: string }
  | { readonly outcome: 'error'; readonly message: string };

export type ListKind = 'domain' | 'host' | 'address' | 'localpart';

export type ListAnswer =
  | {
      readonly outcome: 'match';
      /** The item that matched, or what a lookup in it found. */
      readonly value?: Text | undefined;
      readonly numeric?: readonly Text[] | undefined;
    }
  | { readonly outcome: 'no match' }
  /** `fault`: it is the configuration's, and not of what is asked for now. */
  | { readonly outcome: 'defer'; readonly message: string; readonly fault?: boolean };

export type HostAddresses =
  | { readonly outcome: 'found'; readonly addresses: readonly string[] }
  | { readonly outcome: 'unknown'; readonly message: string }
  | { readonly outcome: 'defer'; readonly message: string };

export type MailExchangers =
  | { readonly outcome: 'found'; readonly hosts: readonly { readonly name: string; readonly preference: number }[] }
  | { readonly outcome: 'unknown'; readonly message: string }
  | { readonly outcome: 'defer'; readonly message: string };

export type AclAnswer = {
  readonly outcome: 'accept' | 'deny' | 'defer' | 'discard' | 'error';
  readonly message: string;
};

export interface RunAnswer {
  /** Exit status, 127 when the program could not be run. */
  readonly status: number;
  readonly output: string;
}

/** What the surroundings can do for an expansion. */
export interface Services {
  /** Whether a search type is known, and how it searches; nothing for an unknown one. */
  lookupStyle(
    type: string,
  ): { readonly style: 'single-key' | 'query'; readonly name: string } | { readonly error: string };
  lookup(request: LookupRequest, context: Context): Eventual<LookupAnswer>;
  /** The quoting operator of a lookup type; nothing when the text or the option cannot be quoted. */
  quote(type: string, text: string, option: string): { readonly text: string } | { readonly error: string };
  matchList(kind: ListKind, subject: string, list: Text, context: Context): Eventual<ListAnswer>;
  /** Whether `address`, which may be empty, is in a list of IP addresses (`match_ip`). */
  matchIp(address: string, list: Text, context: Context): Eventual<ListAnswer>;
  /** The text of a named list. */
  namedList(kind: ListKind, name: string): string | undefined;
  /** A named list, expanded; `constant` when it is the same each time (Exim spec 10.8). */
  namedListItems(
    kind: ListKind,
    name: string,
    context: Context,
  ): Eventual<{ readonly text: Text; readonly constant: boolean } | { readonly error: string }>;
  /** Addresses of a host by its name. */
  hostAddresses(name: string, context: Context): Eventual<HostAddresses>;
  /** Names of the hosts that the MX records of a domain point to, with their preference. */
  mailExchangers(domain: string, context: Context): Eventual<MailExchangers>;
  /** Addresses of this host's interfaces that count as local. */
  localAddresses(): readonly string[];
  runAcl(name: Text, args: readonly Text[], context: Context): Eventual<AclAnswer>;
  /** Runs a program; with `strict` no argument may be tainted, else only its name may not. */
  run(command: readonly Text[], strict: boolean, context: Context): Eventual<RunAnswer | { readonly error: string }>;
  readSocket(request: SocketRequest, context: Context): Eventual<SocketAnswer>;
  /** Calls a subroutine of the Perl interpreter, which is started when it does not run. */
  callPerl(name: string, args: readonly string[], context: Context): Eventual<PerlAnswer>;
  authenticate<Service extends keyof Credentials>(
    service: Service,
    credentials: Credentials[Service],
    context: Context,
  ): Eventual<AuthenticationAnswer>;
  /** Looks the name of the sending host up, once per connection, and puts it into the facts. */
  findHostName(context: Context): Eventual<void>;
  queueSize(context: Context): Eventual<number>;
  /** Writes a line to the main log, about a list or lookup that could not say yes or no; `selector` must be chosen. */
  log(text: string, selector?: LogSelector): void;
}

/** What an expansion in a filter may be forbidden (Exim spec 22.7, forbid_filter_…). */
export type Outside = 'dlfunc' | 'existstest' | 'lookup' | 'perl' | 'readfile' | 'readsocket' | 'run' | 'stat';

/** The state of a filter that expansions see (Exim's filter specification 3.6, 3.20, 3.26). */
export interface FilterFacts {
  /** `$n0` to `$n9`. */
  readonly numbers: number[];
  /** `$thisaddress` */
  thisAddress: Text;
  /** The character set of `headers charset`. */
  charset: string | undefined;
  /** Only a system filter sees all recipients. */
  readonly showsRecipients: boolean;
  readonly forbidden: ReadonlySet<Outside>;
  /** Files and programs are reached with the rights of this user, when it is not the server's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Context {
  readonly settings: Settings;
  readonly services: Services;
  decisions: Decisions;
  /** The queue that work is done on, or that the message being received goes to; empty for the default queue. */
  queueName: Clean;
  connection: ConnectionFacts | undefined;
  message: MessageFacts | undefined;
  address: AddressFacts | undefined;
  delivery: DeliveryFacts | undefined;
  acl: AclFacts | undefined;
  results: Results;
  /** `$auth1` … `$auth4`, while an authenticator is at work (Exim spec 33). */
  authValues?: readonly Text[] | undefined;
  /** While a filter is run. */
  filter?: FilterFacts | undefined;
  /** `$sn0` to `$sn9`: what the system filter left in its `$n0` to `$n9`. */
  systemNumbers?: readonly number[] | undefined;
  event?: EventFacts | undefined;
  /** What this line of work found in files, databases and lists, so that it asks only once. */
  readonly found: Map<string, unknown>;
  /** Depth of nested ACLs and re-expansions, which have a limit. */
  depth: number;
}
