/**
 * Mailboxes as their readers see them. A mailbox is opened once, shows the messages that were in it at that moment, and
 * changes nothing before `commit`. Deliveries go on meanwhile; what they bring is seen by the next who opens it, and is
 * never touched by a commit.
 */

import type { Clean } from '../safe/taint.ts';
import type { LockRules } from './mailbox-lock.ts';

/** Where a mailbox lies, as plain data: it may cross to the process that opens it. */
export interface MailboxPlace {
  readonly format: 'maildir' | 'mbox';
  readonly path: Clean;
  /** A mailbox file may be a symbolic link to one. */
  readonly allowSymlink: boolean;
  readonly lock: LockRules;
  /** Of this host, for the names of lock files. */
  readonly hostname: Clean;
}

export interface Listed {
  /** As it is sent: CR and LF at the end of each line, and the last line has an end. */
  readonly octets: number;
  /** 1 to 70 printing characters, the same in every session, of no other message in the mailbox (RFC 1939, UIDL). */
  readonly uniqueId: string;
}

export type Piece =
  /** Octets as they are stored; they are good until the mailbox is asked for the next. */
  | { readonly outcome: 'read'; readonly octets: Buffer; readonly isLast: boolean }
  /** The message is not there any more, or not as it was. */
  | { readonly outcome: 'gone' };

export interface Changes {
  /** Places in the list, from 0. */
  readonly removed: readonly number[];
  /** Messages that were read whole and stay; a mailbox that can keep that, does. */
  readonly seen: readonly number[];
}

export type Commit =
  /** `left`: messages of the list that are still in the mailbox. */
  | { readonly outcome: 'done'; readonly left: number }
  /** What was asked for was not done, or only in part; `message` is for logs. */
  | { readonly outcome: 'failed'; readonly message: string };

/** All functions but `close` may fail with the system's error. */
export interface Mailbox {
  /** In the order in which they came. */
  readonly messages: readonly Listed[];
  /** How many there are besides that cannot be read, for lack of rights or because the disk fails. */
  readonly unreadable: number;
  /** The next octets of a message behind `position`, at most `pieceSize` of them. */
  read(message: number, position: number): Promise<Piece>;
  commit(changes: Changes): Promise<Commit>;
  close(): void;
}

export type Opened =
  | { readonly outcome: 'opened'; readonly mailbox: Mailbox }
  /** Somebody else has it. */
  | { readonly outcome: 'in use'; readonly message: string }
  /** `message` is for logs. `lasting`: it is not worth trying again. */
  | { readonly outcome: 'failed'; readonly message: string; readonly lasting: boolean };

/** Octets that are read at a time. */
export const pieceSize = 256 * 1024;

/** Room for the octets that are read: kept for one piece after the other, as making it anew costs more than reading. */
export class Room {
  #buffer = Buffer.alloc(0);

  /** So many octets of it. */
  of(length: number): Buffer {
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(Math.min(2 * length, pieceSize));
    return this.#buffer.subarray(0, length);
  }
}

/** Messages that are shown at most; those beyond are shown when some of these are gone. */
export const mostMessages = 200_000;
