/** What a command line asks for, collected by the option table and carried out by the commands. */

import type { Clean, QueueId } from '../safe/taint.ts';

/** The one thing that is done. */
export type Action =
  | 'receive'
  | 'smtp'
  | 'batch smtp'
  | 'fake smtp'
  | 'daemon'
  | 'queue run'
  | 'expand'
  | 'test address'
  | 'verify recipient'
  | 'verify sender'
  | 'test retry'
  | 'test rewrite'
  | 'test filter'
  | 'version'
  | 'build information'
  | 'options'
  | 'list queue'
  | 'count queue'
  | 'rebuild aliases'
  | 'messages'
  | 'log line'
  | 'scan for malware'
  | 'remove pid file'
  | 'help';

/** What `-M…` does to messages. */
export type MessageAction =
  | 'deliver'
  | 'deliver respecting retry times'
  | 'add recipients'
  | 'edit sender'
  | 'freeze'
  | 'give up'
  | 'mark all delivered'
  | 'mark delivered'
  | 'move'
  | 'remove'
  | 'thaw'
  | 'view body'
  | 'view message'
  | 'view headers'
  | 'view log';

export interface QueueRunOptions {
  /** `-q` was given, which may be so only once. */
  given: boolean;
  twoStages: boolean;
  firstDeliveriesOnly: boolean;
  force: boolean;
  forceFrozen: boolean;
  localOnly: boolean;
  /** Seconds between runs; nothing for a single one. */
  interval: number | undefined;
  /** `-R`, `-S`: what recipients or the sender must contain. */
  recipient: Selection | undefined;
  sender: Selection | undefined;
}

export interface Selection {
  readonly text: string;
  readonly isRegex: boolean;
}

export interface QueueListOptions {
  /** Arrival order, or as they come (`-bpr`). */
  sorted: boolean;
  /** Also delivered addresses that came from others (`-bpa`). */
  all: boolean;
  /** Only undelivered top-level addresses (`-bpu`). */
  undelivered: boolean;
}

/** `-bf` and `-bF` with the files, and the recipient that the message is tested for. */
export interface FilterTestOptions {
  user?: string;
  system?: string;
  domain?: string;
  localPart?: string;
  prefix?: string;
  suffix?: string;
}

/** Values of `-oM…` that describe a remote origin. */
export interface Origin {
  hostAddress?: string;
  authenticator?: string;
  authenticatedId?: string;
  authenticatedSender?: string;
  interfaceAddress?: string;
  reference?: string;
  protocol?: string;
  hostName?: string;
  ident?: string;
}

export interface Invocation {
  action: Action | undefined;
  messageAction: MessageAction;
  /** `-C`: names of configuration files. */
  configFiles: string | undefined;
  /** `-D`: macros by name. */
  readonly macros: Map<string, string>;
  /** `-d`: the selectors behind it. */
  debug: string | undefined;
  verbose: boolean;
  /** `-f`: the sender as written. */
  sender: string | undefined;
  /** `-F` */
  senderName: string | undefined;
  recipientsFromHeaders: boolean;
  dotEndsMessage: boolean;
  dontDeliver: boolean;
  tlsOnConnect: boolean;
  dontQualify: boolean;
  errorMode: 'mail' | 'mail and fail' | 'print';
  delivery: 'background' | 'foreground' | 'queue' | 'queue smtp' | undefined;
  readonly origin: Origin;
  /** How messages from standard input came, if nothing else is said. */
  localProtocol: 'local' | 'local-rmail';
  /** Seconds; `-or`, `-os`. */
  receiveTimeout: number | undefined;
  smtpTimeout: number | undefined;
  suppressLocalFixups: boolean;
  /** `-E`: the message is a bounce; perhaps the id of what it is about. */
  bounceFor: string | undefined;
  /** `-bem`, `-Mset`: the message that expansions see. */
  messageFile: string | undefined;
  messageId: QueueId | undefined;
  readonly filterTest: FilterTestOptions;
  /** `-qG`, `-MCG`: the queue that is worked on. */
  queue: Clean | undefined;
  /** `-MG`: the name of the queue that messages are moved to. */
  newQueue: string;
  readonly queueRun: QueueRunOptions;
  readonly queueList: QueueListOptions;
  daemonForeground: boolean;
  daemonListens: boolean;
  /** `-bw`: connections come to the socket that is standard input; seconds without any until the daemon ends. */
  inetdWait: { readonly patience: number | undefined } | undefined;
  /** `-L` */
  syslogName: string | undefined;
  /** `-oB` */
  messagesPerConnection: number | undefined;
  /** `-bmalware` */
  scannedFile: string;
  /** `-oX`, `-oP` */
  interfaces: string | undefined;
  pidFile: string | undefined;
  noNotifier: boolean;
  aliasFile: string | undefined;
  terse: boolean;
  fakeHost: string | undefined;
  callouts: boolean;
  buildInformation: string;
  logLine: string | undefined;
  /** All that is no option. */
  arguments: readonly string[];
}

export function emptyInvocation(): Invocation {
  return {
    action: undefined,
    messageAction: 'deliver',
    configFiles: undefined,
    macros: new Map(),
    debug: undefined,
    verbose: false,
    sender: undefined,
    senderName: undefined,
    recipientsFromHeaders: false,
    dotEndsMessage: true,
    dontDeliver: false,
    tlsOnConnect: false,
    dontQualify: false,
    errorMode: 'mail and fail',
    delivery: undefined,
    origin: {},
    localProtocol: 'local',
    receiveTimeout: undefined,
    smtpTimeout: undefined,
    suppressLocalFixups: false,
    bounceFor: undefined,
    messageFile: undefined,
    messageId: undefined,
    filterTest: {},
    queue: undefined,
    newQueue: '',
    queueRun: {
      given: false,
      twoStages: false,
      firstDeliveriesOnly: false,
      force: false,
      forceFrozen: false,
      localOnly: false,
      interval: undefined,
      recipient: undefined,
      sender: undefined,
    },
    queueList: { sorted: true, all: false, undelivered: false },
    daemonForeground: false,
    daemonListens: false,
    inetdWait: undefined,
    syslogName: undefined,
    messagesPerConnection: undefined,
    scannedFile: '',
    interfaces: undefined,
    pidFile: undefined,
    noNotifier: false,
    aliasFile: undefined,
    terse: false,
    fakeHost: undefined,
    callouts: false,
    buildInformation: '',
    logLine: undefined,
    arguments: [],
  };
}
