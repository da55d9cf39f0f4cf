/**
 * The contract of authenticators (Exim spec 33). A driver is one literal in one file; what it makes of the options of an
 * instance can serve clients, log in at servers, or both. Texts are octets here; who speaks the protocol turns them into
 * base64 and back.
 */

import type { Context } from '../expand/context.ts';
import type { OptionsOf, OptionTable } from '../options/table.ts';
import type { AuthenticatorCommonOptions } from './common-options.ts';

/** What a client says to a challenge. */
export type ClientAnswer =
  | { readonly outcome: 'text'; readonly text: string }
  /** It gave up, sent what is no base64, or is gone. */
  | { readonly outcome: 'cancelled' | 'malformed' | 'lost' };

/** A client that wants to prove who it is. */
export interface ClientConversation {
  /** What came with the command; nothing when the client waits for a challenge. */
  readonly initial: string | undefined;
  /** `words` are sent as they are, where a mechanism has no challenge yet. */
  ask(challenge: string, form?: 'words'): Promise<ClientAnswer>;
}

/** What came of it. */
export type ServerVerdict =
  | { readonly outcome: 'accepted' | 'refused' | 'cancelled' | 'malformed' | 'lost' | 'unexpected data' }
  /** It cannot be told now. `message` is for the log; `told` for the client, too. */
  | { readonly outcome: 'deferred'; readonly message: string; readonly told: boolean };

/** Examines a client; sets `$auth1` and so on in the context. */
export type Examine = (conversation: ClientConversation, context: Context) => Promise<ServerVerdict>;

/** What a server says next. */
export type ServerTurn =
  /** A challenge; without a text when it was no base64. `reply` is all that was said. */
  | { readonly outcome: 'challenge'; readonly text: string | undefined; readonly reply: string }
  | { readonly outcome: 'accepted' | 'refused' | 'lost' };

/** A server at which we log in. */
export interface ServerConversation {
  /** Names the mechanism, with the first data when there is some. */
  begin(initial: string | undefined): Promise<ServerTurn>;
  answer(text: string): Promise<ServerTurn>;
}

/** How logging in went. */
export type ClientVerdict =
  /** `skipped`: this authenticator is not meant for the server, and the next may be tried. */
  | { readonly outcome: 'accepted' | 'refused' | 'lost' | 'skipped' }
  /** We cannot go on; the server, if it waits for an answer, is told that we give up. */
  | { readonly outcome: 'failed'; readonly message: string };

export type LogIn = (conversation: ServerConversation, context: Context) => Promise<ClientVerdict>;

export interface AuthenticatorDriver {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
  /** The two sides, as far as the options of an instance are set for them; nothing for a driver that is only read. */
  make?(options: OptionsOf<OptionTable>, common: AuthenticatorCommonOptions): AuthenticatorSides;
}

export interface AuthenticatorSides {
  readonly examine?: Examine | undefined;
  readonly logIn?: LogIn | undefined;
  /** It needs no AUTH command: it is asked as soon as TLS has begun. */
  readonly isImplicit?: boolean | undefined;
  /** Why no client can be served for the time being, so that it is not offered; nothing when all is well. */
  obstacle?(context: Context): Promise<string | undefined>;
}

/** Declares an authenticator; the types of its options come from its table. */
export function defineAuthenticator<T extends OptionTable>(driver: {
  readonly name: string;
  readonly summary: string;
  readonly options: T;
  make(options: OptionsOf<T>, common: AuthenticatorCommonOptions): AuthenticatorSides;
}): Required<AuthenticatorDriver> {
  return { ...driver, make: (options, common) => driver.make(options as OptionsOf<T>, common) };
}

/** A configured authenticator. */
export interface AuthenticatorInstance extends AuthenticatorSides {
  readonly name: string;
  readonly driver: AuthenticatorDriver;
  readonly common: AuthenticatorCommonOptions;
  readonly options: OptionsOf<OptionTable>;
  readonly set: ReadonlySet<string>;
  readonly hidden: ReadonlySet<string>;
}
