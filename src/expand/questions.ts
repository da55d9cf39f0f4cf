/** What expansions ask of servers and programs outside: questions and answers of the services in `context.ts`. */

import type { Text } from '../safe/taint.ts';

/** A question that `${readsocket…}` sends; seconds to wait for the connection and for each piece of the answer. */
export interface SocketRequest {
  /** `inet:host:port`, or the path of a socket. */
  readonly name: Text;
  readonly text: string;
  readonly timeout: number;
  /** Whether the end of the question is told by ending that direction of the connection. */
  readonly shutdown: boolean;
  readonly tls: boolean;
}

export type SocketAnswer =
  | { readonly outcome: 'answered'; readonly text: string }
  | { readonly outcome: 'failed'; readonly message: string };

export type PerlAnswer =
  | { readonly outcome: 'returned'; readonly text: string }
  | { readonly outcome: 'undefined' }
  | { readonly outcome: 'failed'; readonly message: string };

/** What the authentication services are given. */
export interface Credentials {
  saslauthd: {
    readonly user: string;
    readonly password: string;
    readonly service: string;
    readonly realm: string;
  };
  /** `answers` are given to the questions of the modules, in order. */
  pam: { readonly user: string; readonly answers: readonly string[] };
  /** Settings with user and password, and the URL of a server. */
  ldap: { readonly query: Text };
}

export type AuthenticationAnswer = { readonly accepted: boolean } | { readonly error: string };
