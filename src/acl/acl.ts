/**
 * Access control lists (Exim spec 44): what they are, and what conditions and modifiers may know and do. Running one is
 * in `run.ts`, reading one in `parse.ts`; the questions that need routing or the connection are asked upwards.
 */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { RateHints } from '../hints/rate-hints.ts';
import type { SeenHints } from '../hints/seen-hints.ts';
import type { Eventual } from '../lib/eventual.ts';
import type { CsaOptions } from '../lookups/dnsdb-csa.ts';
import type { Resolver } from '../net/dns.ts';
import type { ArcAnswer } from '../origin/arc-verify.ts';
import type { DmarcAnswer } from '../origin/dmarc.ts';
import type { Text } from '../safe/taint.ts';
import type { ExaminedPart } from './examined-part.ts';
import type { MessageCopy } from './message-copy.ts';
import type { ScannerSettings } from './scan/settings.ts';
import type { AclVerifier, SenderProblem } from './verifier.ts';

/** When an ACL is run; the words are those of Exim's own messages. */
export type Phase =
  | 'connection'
  | 'EHLO or HELO'
  | 'MAIL'
  | 'RCPT'
  | 'PREDATA'
  | 'DKIM'
  | 'MIME'
  | 'DATA'
  | 'PRDR'
  | 'AUTH'
  | 'MAILAUTH'
  | 'STARTTLS'
  | 'ETRN'
  | 'EXPN'
  | 'VRFY'
  | 'QUIT'
  | 'notquit'
  | 'non-SMTP-start'
  | 'non-SMTP'
  | 'unknown';

export type Verb = 'accept' | 'deny' | 'defer' | 'discard' | 'drop' | 'require' | 'warn';

export interface AclResult {
  /** `error`: the ACL could not be run to its end; the other side may try again. */
  readonly outcome: 'accept' | 'deny' | 'defer' | 'discard' | 'drop' | 'error';
  /** For the other side; nothing when there is no text, while one that is there may be empty. */
  readonly userMessage: string | undefined;
  /** For the logs, likewise. */
  readonly logMessage: string | undefined;
  /** Whether the user's message may begin with a code of three digits. */
  readonly smtpCode: boolean;
  /** What is wrong with a sender, which is told in lines of their own. */
  readonly senderProblem: SenderProblem | undefined;
  /** Logs that get the refusal. */
  readonly rejectTargets: readonly RejectTarget[];
  /** Of the statement that decided; none when the ACL came to its end. */
  readonly verb?: Verb | undefined;
  /** The client may read the log message (smtp_return_error_details). */
  readonly isPublic?: boolean | undefined;
}

/** What a message or a connection is to be done with, as `control` asks. */
export interface Controls {
  freeze: boolean;
  queueOnly: boolean;
  fakeReject: { readonly code: '5' | '4'; readonly text: string } | undefined;
  submission: { readonly domain: string | undefined; readonly name: string; readonly sender: string } | undefined;
  suppressLocalFixups: boolean;
  caselessLocalPart: boolean | undefined;
  enforceSync: boolean | undefined;
  noMultilineResponses: boolean;
  allowUnadvertisedAuth: boolean;
  noPipelining: boolean;
  /** Answers may wait while a callout is made. */
  noCalloutFlush: boolean;
  /** The next host has the message before the client is answered; `passesDefers`: what it puts off is put off here, too. */
  cutthrough: { readonly passesDefers: boolean } | undefined;
  /** The files that content scanners were given stay. */
  keepsScanFiles: boolean;
  /** DKIM signatures are looked at, and DMARC records. */
  checksDkim: boolean;
  checksDmarc: boolean;
  /** Failures of DMARC are reported. */
  reportsDmarc: boolean;
}

export function newControls(): Controls {
  return {
    freeze: false,
    queueOnly: false,
    fakeReject: undefined,
    submission: undefined,
    suppressLocalFixups: false,
    caselessLocalPart: undefined,
    enforceSync: undefined,
    noMultilineResponses: false,
    allowUnadvertisedAuth: false,
    noPipelining: false,
    noCalloutFlush: false,
    cutthrough: undefined,
    keepsScanFiles: false,
    checksDkim: true,
    checksDmarc: true,
    reportsDmarc: false,
  };
}

/** What ACLs ask of those above them. */
export interface AclServices {
  readonly verifier: AclVerifier;
  readonly resolver: Pick<Resolver, 'resolve'>;
  /** How fast clients are, and what was seen before. */
  readonly rates: RateHints;
  readonly seen: SeenHints;
  /** Waits, after what was answered so far has gone out. */
  delay(seconds: number, run: AclRun): Promise<void>;
  /** The message, when it is there. */
  message(): MessageCopy | undefined;
  /** The part that a MIME ACL is about. */
  mimePart(): ExaminedPart | undefined;
  readonly scanners: ScannerSettings;
  /** What the chain of ARC sets comes to, once the message is there. */
  arc(): Eventual<ArcAnswer | undefined>;
  /** What DMARC says of the message. */
  dmarc(): Promise<DmarcAnswer>;
  /** The options spf_guess and spf_smtp_comment_template. */
  readonly spf: { readonly guess: string; readonly commentTemplate: Template };
  /** How client SMTP authorization looks for records. */
  readonly csa: CsaOptions;
  log(logs: readonly RejectTarget[], text: string): void;
  /** `H=… [1.2.3.4] `: the other side as log lines show it, with a blank behind it; empty for a local process. */
  hostText(): string;
  named(name: string): Acl | undefined;
  /** Whether a deferred `warn` is logged (log selector acl_warn_skipped). */
  readonly logsSkippedWarnings: boolean;
  /** Whether a DNS list that cannot be asked is logged (log selector dnslist_defer). */
  readonly logsDeferredDnsLists: boolean;
}

export type RejectTarget = 'main' | 'reject' | 'panic';

/** The recipient that an ACL is about. */
export interface AclRecipient {
  readonly address: string;
  readonly localPart: string;
  readonly domain: string;
}

/** One run of an ACL, with those it calls. */
export interface AclRun {
  readonly phase: Phase;
  readonly context: Context;
  readonly services: AclServices;
  readonly controls: Controls;
  /** Header lines asked for with `add_header`, in the order asked. */
  readonly addedHeaders: AddedHeader[];
  /** Names of header lines to be taken away. */
  readonly removedHeaders: string[];
  readonly recipient: AclRecipient | undefined;
  /** Rates that hold for the whole connection, message, or run, by their key. */
  readonly measured: Readonly<Record<'connection' | 'message' | 'recipient', Map<string, number>>>;
  /** Warnings already written for this message. */
  readonly warned: Set<string>;
  /** Texts left by the condition that decided. */
  userMessage: string | undefined;
  logMessage: string | undefined;
  /** Whether `userMessage` may begin with an SMTP code. */
  smtpCode: boolean;
  senderProblem: SenderProblem | undefined;
  /** Logs for refusals (log_reject_target). */
  rejectTargets: readonly RejectTarget[];
}

/** Where an added header line goes (Exim spec 44.24). */
export type HeaderPlace = 'at_end' | 'at_start' | 'after_received' | 'at_start_rfc';

export interface AddedHeader {
  readonly place: HeaderPlace;
  /** Ends with LF. */
  readonly text: string;
}

export type ConditionAnswer =
  | 'true'
  | 'false'
  /** An ACL that was called wants the connection closed. */
  | 'drop'
  /** An ACL that was called wants the recipients to be forgotten. */
  | 'discard'
  /** `isPublic`: whom smtp_return_error_details lets know, may read the text. */
  | { readonly defer: string; readonly isPublic?: boolean }
  | { readonly error: string };

interface AclDriver {
  readonly name: string;
  readonly doc: string;
  /** Phases in which it makes no sense. */
  readonly forbidden: readonly Phase[];
}

/** A condition on a list; the list is expanded while it is matched. */
export interface ListCondition extends AclDriver {
  readonly kind: 'list condition';
  test(list: Template, run: AclRun): Eventual<ConditionAnswer>;
}

/** A condition on a text. */
export interface TextCondition extends AclDriver {
  readonly kind: 'condition';
  test(text: string, run: AclRun): Eventual<ConditionAnswer>;
}

/** A condition on a text that may name a file. */
export interface FileCondition extends AclDriver {
  readonly kind: 'file condition';
  test(text: Text, run: AclRun): Eventual<ConditionAnswer>;
}

/** Why a modifier did not work: `error` ends the ACL with a temporary refusal, `defer` is like a condition that defers. */
export type ModifierProblem = { readonly error: string } | { readonly defer: string };

/** A modifier: something that is done or noted at once. */
export interface Modifier extends AclDriver {
  readonly kind: 'modifier';
  apply(text: Text, run: AclRun, variable: string): Eventual<ModifierProblem | undefined>;
}

/** A text that is expanded when the statement has decided, or the mark of `endpass`. */
export interface LateModifier extends AclDriver {
  readonly kind: 'late modifier' | 'mark';
}

export type ClauseDriver = ListCondition | TextCondition | FileCondition | Modifier | LateModifier;

/** Whether it can be false, and so be negated. */
export function isCondition(driver: ClauseDriver): driver is ListCondition | TextCondition | FileCondition {
  return 'test' in driver;
}

export interface Clause {
  readonly driver: ClauseDriver | 'acl';
  readonly name: string;
  readonly negated: boolean;
  /** For `set`: the name of the variable. */
  readonly variable: string;
  readonly template: Template;
}

export interface Statement {
  readonly verb: Verb;
  readonly clauses: readonly Clause[];
  /** Where it stands, for the decision record. */
  readonly place: string;
}

export interface Acl {
  readonly name: string;
  readonly statements: readonly Statement[];
  /** Where its name stands in the configuration. */
  readonly place?: { readonly file: string; readonly line: number } | undefined;
}
