/**
 * The questions that an SMTP session asks. The session knows the protocol: commands, their order, limits and timeouts;
 * what is allowed and what becomes of a message is answered by whoever implements `SmtpPolicy`.
 */

import type { ServerTls, TlsOutcome } from '../../net/tls.ts';

/** An answer to the client. */
export interface Reply {
  /** Three digits, perhaps with an enhanced code behind (RFC 2034): `250`, `550 5.1.1`. */
  readonly code: string;
  /** One or more lines. */
  readonly text: string;
  /** Answers that stand in front of it. */
  readonly before?: readonly Reply[] | undefined;
  /** The connection is closed behind it. */
  readonly close?: boolean | undefined;
  /** The client made a mistake; too many of them end the session. */
  readonly mistake?: 'syntax' | 'protocol' | undefined;
  /** What the log says of the mistake, if that is not the last line of the text; nothing when it was logged already. */
  readonly logged?: string | undefined;
  /** Sender and recipients are forgotten behind a refusal of DATA that would leave them as they are. */
  readonly endsTransaction?: boolean | undefined;
  /** DATA tells of this refusal with its code. */
  readonly isToldWhole?: boolean | undefined;
  /** Every command from here on gets this answer, until the client says QUIT. */
  readonly isFarewell?: boolean | undefined;
  /** The session counts as one that broke off, because this server cannot do its duty. */
  readonly isFailure?: boolean | undefined;
}

/** What ended a session that did not end with QUIT (`$smtp_notquit_reason`). */
export type NotQuitReason =
  | 'acl-drop'
  | 'bad-command-synprot'
  | 'bad-commands'
  | 'command-timeout'
  | 'connection-lost'
  | 'data-timeout'
  | 'local-scan-error'
  | 'signal-exit'
  | 'synchronization-error';

export interface HeloAnswer {
  readonly reply: Reply;
  /** Lines that EHLO adds, such as `SIZE 1000`; nothing when the name was refused. */
  readonly extensions?: readonly string[] | undefined;
}

/** How the octets of a message end. */
export type DataEnd =
  | {
      readonly kind: 'complete';
      readonly fault: 'bare CR' | 'bare LF' | undefined;
      /** It came by BDAT: octets of the last chunk. */
      readonly lastChunk?: number | undefined;
    }
  /** `reset`: the client took it back between two chunks, and was told so. */
  | { readonly kind: 'lost' | 'timeout' | 'reset' };

/** Where a session stands that breaks off: before or within a transaction. */
export type Standing = 'before MAIL' | 'behind MAIL';

/** What the reader of a message says to what it was given. */
export interface DataSink {
  take(octets: Buffer): Promise<void> | undefined;
  /** Whether the message is already refused, so that chunk behind chunk need not come. `bareLine`: its first line ended with LF alone. */
  isRefused(bareLine: boolean): boolean;
}

/** Gives the octets of the message to `sink`, with LF at the end of each line. */
export type ReadData = (sink: DataSink) => Promise<DataEnd>;

/** Sends a challenge, `334`, and answers the line that the client sends, both in base 64; nothing when it is gone. */
export type AskClient = (challenge: string) => Promise<string | undefined>;

export interface SmtpPolicy {
  /** The greeting, or a refusal with `close`. */
  greet(): Promise<Reply>;
  /** `name` may be empty. */
  helo(verb: 'HELO' | 'EHLO', name: string): Promise<HeloAnswer>;
  /** Whether the client was told of STARTTLS. */
  offersTls(): boolean;
  /** STARTTLS: `220`, or why not. */
  startTls(): Promise<Reply>;
  /** What TLS is to be begun with. */
  tlsSettings(): Promise<ServerTls>;
  /** TLS has begun, and all that was said before is forgotten; or it has not, and the session ends. */
  secured(outcome: TlsOutcome): Promise<void>;
  /** AUTH with the name of a mechanism and what came with it, if anything did; no reply when the client is gone. */
  auth(mechanism: string, initial: string | undefined, ask: AskClient): Promise<Reply | undefined>;
  /** Why AUTH cannot be used now, if it cannot. */
  authProblem(): string | undefined;
  /** `argument` is what stands behind `MAIL FROM:`. A reply of 2xx begins a transaction. */
  mail(argument: string): Promise<Reply>;
  /** What stands behind `RCPT TO:`. */
  rcpt(argument: string): Promise<Reply>;
  /** The client can make nothing of answers with more than one line. */
  answersInOneLine(): boolean;
  /** Before the data: `354`, or why not. */
  predata(): Promise<Reply>;
  /** The message; the reply says what became of it. */
  message(read: ReadData): Promise<Reply>;
  /** The client was told what became of the message. */
  messageAnswered(accepted: boolean): Promise<void>;
  /** The transaction is to end without a message, for this reason, which logs tell. */
  incomplete(reason: string): void;
  /** Sender and recipients are forgotten. */
  reset(): void;
  vrfy(argument: string): Promise<Reply>;
  expn(argument: string): Promise<Reply>;
  etrn(argument: string): Promise<Reply>;
  /** The commands that HELP names. */
  commands(): readonly string[];
  quit(): Promise<Reply>;
  /** The session ends without QUIT; nothing can be told to the client any more, unless `reply` is sent. */
  notQuit(reason: NotQuitReason, reply: Reply | undefined): Promise<Reply | undefined>;
  /** Every command, for variables that show it; without a verb where it goes on with the one before. */
  note(command: string, verb: string | undefined, argument: string): void;
  /** A mistake of the client, for the logs (selectors smtp_syntax_error, smtp_protocol_error). */
  mistake(kind: 'syntax' | 'protocol', command: string, what: string): void;
  /** MAIL came before HELO where that is not allowed. */
  withoutHelo(): void;
  /** The session is given up for this reason; told in the logs. */
  dropped(why: string): void;
  /** The client sends several commands at once, as it was allowed to. */
  pipelined(): void;
  /** The client did not wait for the greeting, or for the answer to its own. */
  beganEarly(): void;
  /** The client did not wait for its turn. `command` is the one that was refused, if it came so far. */
  unsynchronized(why: string, command: string | undefined, next: string): void;
  /** The connection broke off, or nothing came in time, while a command was awaited. */
  lost(why: 'end' | 'timeout', standing: Standing): void;
  /** The session is over, however it ended. */
  ended(how: 'quit' | 'closed' | 'failed'): void;
}

/** Numbers that bound a session. */
export interface SessionSettings {
  /** Name of this server, for replies of the session itself. */
  readonly hostname: () => string;
  /** Milliseconds to wait for a command or a block of data; 0 for ever. */
  readonly timeout: number;
  /** Mistakes and unknown commands after which a session is ended (smtp_max_synprot_errors, smtp_max_unknown_commands). */
  readonly maximumMistakes: number;
  readonly maximumUnknown: number;
  /** Commands that serve no mail (smtp_accept_max_nonmail). */
  readonly maximumNonMail: number;
  /** Whether that limit is for this client (smtp_accept_max_nonmail_hosts). */
  readonly limitsNonMail: () => Promise<boolean>;
  /** The other side is on a network: only CRLF ends lines of a message, and commands must not come too early. */
  readonly isRemote: boolean;
  /** A client need not introduce itself again when TLS has begun (tls_remember_esmtp). */
  readonly remembersHelo: boolean;
  /** Whether this client may send commands before the greeting and behind its own (pipelining_connect_advertise_hosts). */
  readonly mayBeginEarly: () => Promise<boolean>;
  /** Nothing may be sent before its turn (smtp_enforce_sync). */
  readonly enforceSync: boolean;
  /** Batch SMTP: no answers; the first mistake ends everything. */
  readonly isBatch: boolean;
  /** TLS comes before the greeting (tls_on_connect_ports). */
  readonly beginsWithTls: boolean;
  /** What every command but QUIT is told; nothing when they are obeyed. */
  readonly refusal?: string | undefined;
  /** HELO or EHLO must come first (hosts_require_helo, helo_verify_hosts). */
  readonly requiresHelo: () => Promise<boolean>;
}
