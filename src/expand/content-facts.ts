/** What was found out about the content of a message while it came in: spam, DKIM signatures, MIME parts. */

import type { Anomaly } from '../mail/mime-decoder.ts';
import type { MimeHeader } from '../mail/mime-header.ts';
import type { DkimVerdict } from '../origin/dkim-verdict.ts';
import type { Text } from '../safe/taint.ts';

/** What a spam scanner said of a message (Exim spec 45.3). */
export interface SpamFacts {
  readonly score: string;
  readonly scoreInt: string;
  readonly bar: string;
  readonly action: string;
  /** Not kept for the delivery. */
  readonly report: string;
}

/** What is known of the DKIM signatures of a message (Exim spec 58.3). */
export interface DkimFacts {
  readonly verdicts: readonly DkimVerdict[];
  /** Domains and identities that signed, with colons between them. */
  readonly signers: string;
  /** The one that the ACL was last run for, and its signature if it has one. */
  signer: string;
  verdict: DkimVerdict | undefined;
  /** The signature that was last seen. */
  seen: DkimVerdict | undefined;
  /** As an ACL sees and may set it; after the last run, all that were, with colons between them. */
  status: string;
  reason: string;
  /** An ACL has set what it was told. */
  isOverruled: boolean;
  /** The domain whose signature is right, for the log. */
  verified: string;
}

/** The MIME part that an ACL is about (Exim spec 45.4). */
export interface MimeFacts {
  readonly header: MimeHeader;
  readonly isCoverLetter: boolean;
  readonly isMultipart: boolean;
  /** It belongs to an attached message. */
  readonly isAttached: boolean;
  /** What was wrong with its encoding. */
  anomaly?: Anomaly | undefined;
  /** Kilobytes, after it was decoded. */
  contentSize: number;
  decodedFilename: Text;
}
