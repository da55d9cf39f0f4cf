/**
 * The contract of transports (Exim spec 24 - 30). A driver is one literal in one file. Local transports work in two
 * steps: `prepare` expands the options, with the rights of the delivering process, to a job of plain data; `perform`
 * carries the job out with the rights of the user it is for, in this process or in one that runs as that user. The
 * remote transports talk to hosts and need no other rights.
 */

import type { Context } from '../expand/context.ts';
import type { FilterReply } from '../filter/filter-outcome.ts';
import type { Eventual } from '../lib/eventual.ts';
import type { TlsFacts } from '../net/tls.ts';
import type { OptionsOf, OptionsProblem, OptionTable } from '../options/table.ts';
import type { Child, Host } from '../routers/router.ts';
import type { Argument } from '../safe/spawn.ts';
import type { Clean, QueueId, Text } from '../safe/taint.ts';
import type { Body } from '../spool/body.ts';
import type { SpooledRecipient, SpoolFacts } from '../spool/envelope.ts';
import type { CalloutMaker } from './callout.ts';
import type { TransportCommonOptions } from './common-options.ts';
import type { RemoteServices } from './remote-services.ts';
import type { BegunTransaction, KeptConnection } from './smtp-kept.ts';

/** One address of a delivery. */
export interface DeliveryAddress {
  /** As it is given to other programs and hosts: with or without affixes, as `rcpt_include_affixes` says. */
  readonly recipient: string;
  /** The address that it all began with. */
  readonly original: string;
  /** Set by redirection: the name of a file or directory, or a command; as trusted as the data it came from. */
  readonly file: Text | undefined;
  readonly pipe: Text | undefined;
  /** The words of the command are to be expanded, with what a filter captured. */
  readonly pipeExpansion?: Child['expand'] | undefined;
  /** Permissions of the file, in place of the transport's. */
  readonly mode?: number | undefined;
  /** A letter of a filter, in place of the one that the transport's options make. */
  readonly reply?: FilterReply | undefined;
  readonly domain: string;
  /** What to pass on about reports: ORCPT, and NOTIFY as a number. */
  readonly notification?: SpooledRecipient['notification'] | undefined;
  /** The next host is not asked for reports. */
  readonly reportsEnd?: boolean | undefined;
}

/** The message as it is to be written: its header lines already changed as router and transport ask. */
export interface Content {
  /** All header lines, ending with LF; the blank line behind them is not part of it. */
  readonly headers: string;
  readonly body: Body;
}

/** What connecting to hosts needs to know, whether there is a message or not. */
export interface ConnectionRequest {
  /** Name of the transport instance. */
  readonly transport: string;
  readonly hosts: readonly Host[];
  readonly returnPath: string;
  readonly context: Context;
}

export interface DeliveryRequest extends ConnectionRequest {
  readonly common: TransportCommonOptions;
  /** It goes to all addresses in one transaction, or to none (mua_wrapper). */
  readonly allOrNothing?: boolean | undefined;
  readonly messageId: QueueId;
  readonly addresses: readonly DeliveryAddress[];
  /**
   * Those of the router, in place of the transport's own `fallback_hosts`; an empty list to have none at all. Hosts
   * without an address are looked up.
   */
  readonly fallbackHosts?: readonly Host[] | undefined;
  /** The connection of an earlier message, and then no other is used. */
  readonly over?: KeptConnection | undefined;
  /** What a callout has begun for this message. */
  readonly begun?: BegunTransaction | undefined;
  /** Nothing is delivered: only the room in the mailbox is looked at, for a message of so many octets; -1 for any. */
  readonly roomFor?: number | undefined;
  /** RET and ENVID, to be passed on (RFC 3461). */
  readonly envelopeFacts?: Pick<SpoolFacts, 'dsnRet' | 'dsnEnvid'> | undefined;
  readonly content: Content;
  /** The message as one host gets it, where options of the transport about header lines may look at the host. */
  readonly contentAt?: ((context: Context) => Promise<Content | { readonly message: string }>) | undefined;
  /** Home directory, when there is one. */
  readonly home: Clean | undefined;
  /** Current directory of a program that is run. */
  readonly directory: Clean;
  readonly primaryHostname: Clean;
  /** User and group that a local delivery runs as. */
  readonly uid: number;
  readonly gid: number;
  /** Of which Exim the configuration is; 4 when nothing is said. */
  readonly dialect?: 3 | 4 | undefined;
}

/** Why an address was not delivered. Numbers below zero are Exim's own; others are the system's. */
export interface DeliveryError {
  readonly code: number;
  /** For logs; may name paths and programs. */
  readonly message: string;
  /** For the sender, when the message itself is not for him. */
  readonly publicMessage?: string | undefined;
  /** First line of what a command printed, for the log. */
  readonly logLine?: string | undefined;
  /** What a command printed, to be returned to the sender. */
  readonly output?: string | undefined;
  /** A second number that retry rules look at: a reply code, or seconds since the mailbox was read. */
  readonly detail?: number | undefined;
  /** Whether a connection or a wait timed out. */
  readonly timeout?: 'connect' | 'other' | undefined;
  readonly freeze?: boolean | undefined;
  /** What the other side replied, its lines separated by LF; `message` ends with it. */
  readonly reply?: string | undefined;
  /** The configuration is at fault: for the panic log, too. */
  readonly panic?: boolean | undefined;
  /** The transport that is to deliver in place of this one (file_format). */
  readonly handOverTo?: string | undefined;
}

export type DeliveryResult =
  | {
      readonly outcome: 'delivered';
      /** First line of what a command printed, for the log. */
      readonly logLine?: string | undefined;
      /** A message to the owner of the mailbox, which got nearly full. */
      readonly warning?: QuotaWarning | undefined;
      /** A message of its own that the transport wants sent (autoreply). */
      readonly reply?: Reply | undefined;
      /** What an LMTP server said to it, its lines separated by LF. */
      readonly confirmation?: string | undefined;
      readonly each?: EachResult | undefined;
    }
  | ({ readonly outcome: 'deferred' | 'failed'; readonly each?: EachResult | undefined } & DeliveryError);

/**
 * A result for each address of the job, in their order, where they differ (LMTP). The result that has it is for those
 * who look no further: it says `delivered` only when all of them were.
 */
export type EachResult = readonly DeliveryResult[];

export type Undelivered = DeliveryResult & { readonly outcome: 'deferred' | 'failed' };

export interface QuotaWarning {
  /** Header lines, a blank line and text. */
  readonly message: string;
}

/** A message that is to be submitted in the name of the delivery's user, with an empty sender; its header lines say to whom. */
export interface Reply {
  /** Its octets in parts, one after the other. */
  readonly parts: readonly ReplyPart[];
  /** What is to be done with the user's rights when the message is on the queue. */
  readonly then: Job;
  /** For the panic log, when that is done. */
  readonly complaint: string | undefined;
}

export interface ReplyPart {
  readonly text: string;
  /** Each line of the text is to be expanded: it comes from a file with this name, owner and mode. */
  readonly expand?:
    | {
        readonly path: string;
        readonly owner: number;
        readonly mode: number;
        /** A user's filter chose the file, and not the configuration. */
        readonly ofFilter: boolean;
      }
    | undefined;
}

/** A job of plain data for `perform`; it may cross to another process. */
export interface Job {
  /** What logs call the file or directory of redirection, when options of the transport make another of it. */
  readonly place?: string | undefined;
  readonly driver: string;
  /** Where the delivery works; it must be possible to go there, whether anything is done there or not. */
  readonly workingDirectory?: Clean | undefined;
  /** What the message runs through on its way. */
  readonly filter?: FilterCommand | undefined;
}

/** A `transport_filter`, ready to be run. */
export interface FilterCommand {
  readonly program: Clean;
  readonly args: readonly Argument[];
  readonly directory: Clean;
  /** Milliseconds that its next output may take; 0 for no limit. */
  readonly timeout: number;
  /** Which parts of the message it is given. */
  readonly headers: boolean;
  readonly body: boolean;
}

/** Reads the content of the message, piece by piece. */
export interface ContentReader {
  readonly headers: string;
  readonly size: number;
  /** What is read is the whole message, as a filter has made it; header lines, size and parts do not count any more. */
  readonly isFiltered?: true;
  /** The next octets of the body, at most as many as fit into `buffer`; 0 at the end. */
  read(buffer: Uint8Array): Eventual<number>;
}

export interface LocalTransport<J extends Job = Job> {
  readonly style: 'local';
  /** It heeds `roomFor` in a request. */
  readonly knowsQuota: boolean;
  prepare(request: DeliveryRequest): Eventual<{ readonly job: J } | DeliveryResult>;
  perform(job: J, content: ContentReader): Promise<DeliveryResult>;
}

/** This side of a connection. */
export interface LocalEnd {
  readonly address: string;
  readonly port: number;
  /** It ends at a proxy. */
  readonly isProxy?: boolean | undefined;
}

/** What happened to one address of a remote delivery. */
export interface RemoteOutcome {
  readonly address: DeliveryAddress;
  readonly result: RemoteResult;
}

export type RemoteResult =
  | {
      readonly outcome: 'delivered';
      /** With the port that was used. */
      readonly host: Host;
      /** What the host said to it, its lines separated by LF. */
      readonly confirmation: string | undefined;
      readonly local?: LocalEnd | undefined;
      readonly tls?: TlsFacts | undefined;
      /** Who we logged in as: `plain:ann`. */
      readonly authenticator?: string | undefined;
      /** Not the first message over the same connection. */
      readonly continued: boolean;
      /** Which transaction of the delivery it was: the first is 0. */
      readonly transaction: number;
      readonly pipelining: boolean;
      /** The host was spoken to before it had answered EHLO, and may be again. */
      readonly early?: boolean | undefined;
      /** The host offered DSN. */
      readonly speaksDsn?: boolean | undefined;
      /** The host answered for each recipient (PRDR). */
      readonly prdr?: boolean | undefined;
      /** The message went by BDAT. */
      readonly chunking?: boolean | undefined;
    }
  | ({ readonly outcome: 'deferred' | 'failed' } & RemoteError);

export interface RemoteError extends DeliveryError {
  /** The host that said it, if it had come so far. */
  readonly host: Host | undefined;
  readonly local?: LocalEnd | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly continued?: boolean | undefined;
  /** It is this recipient that the host would not take, after RCPT. */
  readonly refusedAtRcpt?: boolean | undefined;
  /** It is this recipient that is refused for the time being, from this sender or from anybody (Exim spec 49.2). */
  readonly retry?: 'recipient' | 'recipient from sender' | undefined;
  /** Hosts were passed over, so the address has not run out of them and must not be given up. */
  readonly hostsLeft?: boolean | undefined;
}

/** There are no outcomes when a delivery is not for the host that the connection of an earlier message leads to. */
export type RemoteDeliver = (request: DeliveryRequest, services: RemoteServices) => Promise<readonly RemoteOutcome[]>;

/** The names of the hosts that a delivery would try. */
export type HostsFinder = (request: ConnectionRequest) => Promise<readonly string[]>;

export interface RemoteTransport {
  readonly style: 'remote';
  readonly deliver: RemoteDeliver;
  readonly hostNames: HostsFinder;
  /** Readies callouts to the hosts that it would deliver to; a driver that makes none does not have it. */
  readonly callout?: CalloutMaker | undefined;
}

export type TransportWorker = LocalTransport | RemoteTransport;

export interface TransportDriver {
  readonly name: string;
  readonly summary: string;
  readonly isLocal: boolean;
  /** It writes files and runs no program: a delivery is over in a moment. */
  readonly isQuick?: boolean | undefined;
  readonly options: OptionTable;
  check(options: OptionsOf<OptionTable>, common: TransportCommonOptions, name: string): OptionsProblem | undefined;
  make(options: OptionsOf<OptionTable>, common: TransportCommonOptions, set: ReadonlySet<string>): TransportWorker;
}

export interface TransportLiteral<T extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  readonly isQuick?: boolean;
  readonly options: T;
  check?(options: OptionsOf<T>, common: TransportCommonOptions, name: string): OptionsProblem | undefined;
}

/** Declares a remote transport. */
export function defineRemoteTransport<T extends OptionTable>(
  driver: TransportLiteral<T> & {
    callout?(options: OptionsOf<T>, set: ReadonlySet<string>): CalloutMaker;
    deliver(options: OptionsOf<T>, common: TransportCommonOptions, set: ReadonlySet<string>): RemoteDeliver;
    hostNames(options: OptionsOf<T>): HostsFinder;
  },
): TransportDriver {
  return {
    check: () => undefined,
    ...driver,
    isLocal: false,
    make: (options, common, set) => ({
      style: 'remote',
      deliver: driver.deliver(options as OptionsOf<T>, common, set),
      hostNames: driver.hostNames(options as OptionsOf<T>),
      callout: driver.callout?.(options as OptionsOf<T>, set),
    }),
  };
}

/** A configured transport. */
export interface TransportInstance {
  readonly name: string;
  /** Where its last line stands. */
  readonly place?: { readonly file: string; readonly line: number } | undefined;
  readonly driver: TransportDriver;
  readonly common: TransportCommonOptions;
  readonly options: OptionsOf<OptionTable>;
  /** Names of the options that the configuration mentions, and of those that it hides. */
  readonly set: ReadonlySet<string>;
  readonly hidden: ReadonlySet<string>;
  readonly worker: TransportWorker;
}

/** Exim's numbers for errors that the system has none for, as they stand in logs in parentheses. */
export const errorCodes = {
  unknown: -1,
  connectionLost: -18,
  malformedReply: -19,
  badFormat: -33,
  quota: -22,
  filterFailed: -24,
  headersFailed: -25,
  expansion: -27,
  unknownHost: -32,
  tlsFailed: -37,
  tlsRequired: -38,
  authenticationFailed: -42,
  rcpt4xx: -44,
  mail4xx: -45,
  data4xx: -46,
  localHost: -50,
  authenticationProblem: -48,
  hostRetry: -54,
  transportLimit: -57,
  objection: -58,
} as const;

export const deferred = (code: number, message: string, more: Partial<DeliveryError> = {}): Undelivered => ({
  outcome: 'deferred',
  code,
  message,
  ...more,
});
