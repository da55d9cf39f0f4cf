/** What ACL conditions ask when they verify something, and what they are answered (Exim spec 44.45 - 44.50). */

import type { Eventual } from '../lib/eventual.ts';
import type { AclRun } from './acl.ts';

/** How the hosts that would get mail for an address are asked about it; times are in seconds. */
export interface CalloutOptions {
  readonly timeout: number;
  readonly connectTimeout: number;
  /** No further host is tried after so long. */
  readonly longest: number;
  readonly deferOk: boolean;
  readonly noCache: boolean;
  /** Whether a local part that nobody has is tried first. */
  readonly random: boolean;
  /** The sender with which `postmaster` is tried, too, if it is. */
  readonly postmasterSender: string | undefined;
  /** `postmaster` may be known without a domain only. */
  readonly fullPostmaster: boolean;
  readonly sender: 'empty' | 'of the message' | 'postmaster';
  /** For addresses in header lines. */
  readonly mailFrom: string;
  /** The connection is kept for the next recipient. */
  readonly hold: boolean;
}

/** For how many seconds it is remembered that a mailbox has room, and that it has none; both 0: not at all. */
export interface QuotaOptions {
  readonly positive: number;
  readonly negative: number;
}

export interface VerifyOptions {
  readonly deferOk: boolean;
  readonly noDetails: boolean;
  readonly successOnRedirect: boolean;
  readonly callout: CalloutOptions | undefined;
  /** The room in the mailbox of the recipient is looked at, and nobody is called. */
  readonly quota?: QuotaOptions | undefined;
}

/** The answer of an address verification. */
export type VerifyResult =
  /** `random`: the host takes whatever local part. */
  { readonly outcome: 'ok'; readonly finding?: 'random' | undefined } | VerifyFailure;

export interface VerifyFailure {
  readonly outcome: 'fail' | 'defer';
  /** For the other side; a text that is there may be empty. */
  readonly userMessage: string | undefined;
  readonly logMessage: string;
  readonly smtpCode: boolean;
  /** `$recipient_verify_failure`, `$sender_verify_failure`: what failed. */
  readonly failure: string;
  /** Of a sender, unless its details are to be kept back. */
  readonly problem: SenderProblem | undefined;
  /** It could not be told, but that is to count as good. */
  readonly tolerated: boolean;
}

/** What is wrong with a sender: for the log and the other side, when something is refused because of it. */
export interface SenderProblem {
  readonly address: string;
  readonly outcome: 'fail' | 'defer';
  /** May be empty; nothing where it is only known from before. */
  readonly logMessage: string | undefined;
  /** For the other side, in lines of their own before the refusal. */
  readonly details: string;
  /** It is told once only. */
  told: boolean;
}

/** The questions behind `verify`. */
export interface AclVerifier {
  recipient(run: AclRun, options: VerifyOptions): Eventual<VerifyResult>;
  sender(run: AclRun, address: string, options: VerifyOptions): Eventual<VerifyResult>;
  helo(run: AclRun): Eventual<boolean>;
  /** What is wrong with the header lines, if anything. */
  headers(run: AclRun, what: HeaderQuestion, options: readonly string[]): Eventual<HeaderProblem | undefined>;
  /** Whether at least one of the header lines that name a sender holds an address that can be verified. */
  headerSender(run: AclRun, options: VerifyOptions): Eventual<HeaderSenderResult>;
}

export type HeaderQuestion = 'header_syntax' | 'header_names_ascii' | 'not_blind';

export interface HeaderProblem {
  /** For the other side; nothing when it is not told (smtp_return_error_details). */
  readonly userMessage: string | undefined;
  readonly logMessage: string;
}

export type HeaderSenderResult =
  /** `failure`: what failed of an address that counts as good all the same, or of the one that was tried last. */
  | { readonly outcome: 'ok'; readonly failure: string }
  | ({ readonly outcome: 'fail' | 'defer'; readonly failure: string } & HeaderProblem);
