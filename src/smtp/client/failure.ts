/** What can go wrong between a client and a server, so that those who know the policy can say what it means. */

import type { Reply } from '../reply.ts';

/** How far a session had come. */
export type Stage =
  | 'greeting'
  | 'hello'
  | 'tls'
  | 'auth'
  | 'reset'
  | 'mail'
  | 'recipient'
  | 'data'
  /** While the message was being sent. */
  | 'block'
  /** After the dot that ends the message. */
  | 'end';

/** What the client waited for. */
export interface Waiting {
  readonly stage: Stage;
  /** What it had sent, as logs name it: `initial connection`, `MAIL FROM:<a@b>`, `end of data`. */
  readonly after: string;
  /** Whether it had sent more behind it. */
  readonly pipelined: boolean;
  /** The place of the recipient that the command was about. */
  readonly recipient?: number | undefined;
}

export type Failure = Waiting &
  (
    | { readonly kind: 'refused'; readonly reply: Reply }
    | { readonly kind: 'closed' }
    | { readonly kind: 'timeout' }
    /** A system error on the connection. */
    | { readonly kind: 'broken'; readonly code: number; readonly text: string }
    /** What came was no reply. */
    | { readonly kind: 'malformed'; readonly text: string }
    /** A consent that came before anything was asked. */
    | { readonly kind: 'early'; readonly reply: Reply }
  );

export function isFailure<T extends object>(value: T | Failure): value is Failure {
  return 'kind' in value;
}
