/** What the server and a process that has opened mailboxes say to each other: questions with numbers, and their answers. */

import type { Changes, MailboxPlace } from '../store/mailbox.ts';

/** What is asked about a mailbox, which has the number that whoever opens it gives it. */
export type Question =
  | { readonly what: 'open'; readonly place: MailboxPlace }
  | { readonly what: 'list'; readonly from: number }
  /** `ahead`: messages behind it that are small may come along. */
  | { readonly what: 'read'; readonly message: number; readonly position: number; readonly ahead: boolean }
  | { readonly what: 'commit'; readonly changes: Changes }
  | { readonly what: 'close' };

export type Asked = Question & { readonly number: number; readonly mailbox: number };

export interface Answer {
  readonly number: number;
  readonly value: unknown;
  /** Octets behind the answer. */
  readonly size: number;
}

/** The pieces that a `read` is answered with: the one that was asked for, and whole messages behind it. */
export type Pieces = readonly { readonly size: number; readonly isLast: boolean }[];

/** Messages of a list that go over at a time. */
export const listPart = 5_000;
/** Octets of messages that come along with one that is read. */
export const mostAhead = 128 * 1024;
