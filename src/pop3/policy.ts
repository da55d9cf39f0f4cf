/**
 * The questions that a POP3 session asks. The session knows the protocol: commands, their order, limits and timeouts;
 * who may log in, which mailbox he gets, and what stands in the logs is answered by whoever implements `Pop3Policy`.
 */

import type { ServerTls, TlsOutcome } from '../net/tls.ts';
import type { Mailbox } from '../store/mailbox.ts';

/** Why something is refused: the response code for programs (RFC 2449 §8, RFC 3206), and a text for people. */
export interface Refusal {
  readonly code: 'AUTH' | 'IN-USE' | 'SYS/TEMP' | 'SYS/PERM' | undefined;
  readonly text: string;
}

export type LoginAnswer =
  | { readonly outcome: 'opened'; readonly mailbox: Mailbox }
  /** `isFailure`: it counts, and too many of them end the session. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly isFailure: boolean }
  /** The client broke the exchange off, or sent what is no base64. */
  | { readonly outcome: 'cancelled' | 'malformed' }
  /** The connection is gone. */
  | { readonly outcome: 'lost' };

/** What this client may use now. */
export interface Offers {
  readonly userAndPass: boolean;
  /** Names of SASL mechanisms. */
  readonly mechanisms: readonly string[];
  readonly startTls: boolean;
}

/** What a client says to a challenge; texts are octets here, and base64 on the wire. */
export type Said =
  | { readonly outcome: 'text'; readonly text: string }
  | { readonly outcome: 'cancelled' | 'malformed' | 'lost' };

export interface SaslExchange {
  /** What came with the command; nothing when the client waits for a challenge. */
  readonly initial: string | undefined;
  /** `words` are sent as they are. */
  ask(challenge: string, form?: 'words'): Promise<Said>;
}

/** What a session did, for its last log line. */
export interface Tally {
  readonly retrieved: number;
  readonly tops: number;
  /** Octets of messages that were sent. */
  readonly octets: number;
  readonly removed: number;
  readonly left: number;
}

/** How a session ended. */
export type SessionEnd = 'quit' | 'lost' | 'timeout' | 'closed';

export interface Pop3Policy {
  /** The text of the greeting, or why there is none. */
  greet(): Promise<{ readonly text: string } | { readonly refusal: Refusal }>;
  offers(): Promise<Offers>;
  /** A refusal that counts as a failure is answered late, so that its time tells nothing. */
  login(user: string, password: string): Promise<LoginAnswer>;
  authenticate(mechanism: string, exchange: SaslExchange): Promise<LoginAnswer>;
  /** What the client is offered when TLS begins; nothing when there is none. */
  tlsSettings(): Promise<ServerTls | undefined>;
  /** TLS has begun, or could not. */
  secured(outcome: TlsOutcome): void;
  /** Too many mistakes, or something that no client does. */
  dropped(why: string): void;
  /** Changes at the end could not be made. */
  failed(message: string): void;
  /** The session is over. Nothing was opened when there is no tally. */
  ended(how: SessionEnd, tally: Tally | undefined): void;
}

/** Numbers that bound a session. */
export interface Pop3Settings {
  /** Milliseconds to wait for a command, or for a client to take what it asked for (RFC 1939 §3: ten minutes at least). */
  readonly timeout: number;
  /** Milliseconds from the greeting in which a client has to log in. */
  readonly loginTimeout: number;
  /** Failed logins after which the session is ended. */
  readonly maximumFailures: number;
  /** TLS begins with the connection. */
  readonly beginsWithTls: boolean;
}
