/** The message that is being received, as content scanners are shown it (Exim spec 45): a mailbox file of its own. */

import type { Clean } from '../safe/taint.ts';

/** Takes a piece of a message; what it returns is waited for. */
export type TakePiece = (piece: Buffer) => Promise<void> | undefined;

export interface MessageCopy {
  readonly id: string;
  /** Octets of the whole copy. */
  readonly size: number;
  /** Hands the copy out, piece by piece. */
  read(take: TakePiece): Promise<void>;
  /** The copy as a file in a directory of its own, for scanners on this machine; both go when the ACL has ended. */
  file(): Promise<{ readonly path: Clean; readonly directory: Clean }>;
}
