/** What the spool keeps of a message besides its body: envelope, state and header lines (Exim spec 57.1). */

import type { HeaderLine } from '../mail/header-line.ts';
import type { QueueId, Text } from '../safe/taint.ts';

/** How much of a message a report is to return (RFC 3461 §4.3). */
export type ReturnPart = 'FULL' | 'HDRS';

export interface SpooledRecipient {
  readonly address: string;
  /** For addresses that a redirect router with `one_time` added: their parent's place in the list. */
  readonly parent?: number | undefined;
  /** Where errors go, when not to the sender. */
  readonly errorsTo?: string | undefined;
  /** What a client asked for about notifications: ORCPT, and NOTIFY as a number. */
  readonly notification?: { readonly original: string; readonly flags: number } | undefined;
}

/** Facts that are written as lines with a hyphen; those that do not apply are undefined or false. */
export interface SpoolFacts {
  activeHostname?: string | undefined;
  allowUnqualifiedRecipient?: boolean | undefined;
  allowUnqualifiedSender?: boolean | undefined;
  authId?: string | undefined;
  authSender?: string | undefined;
  bodyLineCount?: number | undefined;
  bodyZeroCount?: number | undefined;
  deliverFirstTime?: boolean | undefined;
  frozen?: number | undefined;
  heloName?: string | undefined;
  hostAddress?: string | undefined;
  hostAuth?: string | undefined;
  hostLookupDeferred?: boolean | undefined;
  hostLookupFailed?: boolean | undefined;
  hostName?: string | undefined;
  ident?: string | undefined;
  interfaceAddress?: string | undefined;
  local?: boolean | undefined;
  localError?: boolean | undefined;
  manualThaw?: boolean | undefined;
  maxReceivedLineLength?: number | undefined;
  dontDeliver?: boolean | undefined;
  dsnEnvid?: string | undefined;
  /** 1 for all of the message, 2 for its header lines. */
  dsnRet?: number | undefined;
  receivedProtocol?: string | undefined;
  receivedTimeComplete?: string | undefined;
  receivedTimeUsec?: number | undefined;
  senderSetUntrusted?: boolean | undefined;
  smtpUtf8?: boolean | undefined;
  spamBar?: string | undefined;
  spamScore?: string | undefined;
  spamScoreInt?: string | undefined;
  spoolFileWireformat?: boolean | undefined;
  tlsCertificateVerified?: boolean | undefined;
  tlsCipher?: string | undefined;
  tlsPeerDn?: string | undefined;
  tlsSni?: string | undefined;
}

export interface Envelope {
  readonly id: QueueId;
  originatorLogin: string;
  originatorUid: number;
  originatorGid: number;
  sender: string;
  /** Seconds since 1970. */
  receivedTime: number;
  /** How many warnings of delay were sent. */
  warningCount: number;
  facts: SpoolFacts;
  readonly aclConnectionVariables: Map<string, Text>;
  readonly aclMessageVariables: Map<string, Text>;
  /** Lines with a hyphen that this version does not know; they are kept. */
  readonly otherFacts: readonly string[];
  /** Addresses that are not to be delivered to any more. */
  readonly nonRecipients: Set<string>;
  recipients: SpooledRecipient[];
  headers: HeaderLine[];
}
