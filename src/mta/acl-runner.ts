/** Runs the ACLs of one session or submission, and answers what they ask: verification, delays, logs (`acl/acl.ts`). */

import type {
  AclRecipient,
  AclResult,
  AclRun,
  AclServices,
  AddedHeader,
  Controls,
  Phase,
  RejectTarget,
} from '../acl/acl.ts';
import { newControls } from '../acl/acl.ts';
import type { ExaminedPart } from '../acl/examined-part.ts';
import { callWithArguments, runAcl } from '../acl/run.ts';
import type { ScannerSettings } from '../acl/scan/settings.ts';
import type { AclAnswer, Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { newAclFacts } from '../expand/facts.ts';
import { printingLine } from '../lib/escapes.ts';
import type { ArcVerification } from '../origin/arc-verify.ts';
import type { Text } from '../safe/taint.ts';
import type { BegunTransaction } from '../transports/smtp-kept.ts';
import { factsOf, originalAddress } from './address.ts';
import { hostFields } from './arrival-log.ts';
import { type DmarcWishes, examineDmarc } from './dmarc.ts';
import { messageCopy, type RemovableCopy, type Scanned } from './message-copy.ts';
import type { Runtime } from './runtime.ts';
import type { LocalDeliveries } from './subprocess.ts';
import { type VerifiedSenders, Verifier } from './verifier.ts';

/** What one session can do that the runner cannot. */
export interface AclSurroundings {
  /** Sends what was answered so far, then waits. */
  delay(seconds: number): Promise<void>;
  /** Sends what was answered so far. */
  flush(): Promise<void>;
  readonly allowUnqualifiedSenders: boolean;
  /** Nothing comes of what is done here. */
  readonly isTest: boolean;
  /** Other hosts may be asked about addresses: not so in a test with `-bh`. */
  readonly makesCallouts: boolean;
  /** For those who look into mailboxes; where no recipient is verified, nobody does. */
  readonly processes?: LocalDeliveries | undefined;
}

/** Headers and controls that the ACLs of one message have asked for. */
export class AclRequests {
  readonly addedHeaders: AddedHeader[] = [];
  readonly removedHeaders: string[] = [];
  readonly warned = new Set<string>();
  readonly verifiedSenders: VerifiedSenders = new Map();
  /** Rates that were measured for this message. */
  readonly rates = new Map<string, number>();
  controls: Controls = newControls();
  /** The whole message, while its ACLs run, and the part that a MIME ACL is about. */
  copy: RemovableCopy | undefined;
  part: ExaminedPart | undefined;
  /** What scanners have said of the message. */
  readonly spamAnswers: ScannerSettings['spamAnswers'] = new Map();
  malwareAnswer: ScannerSettings['malwareAnswer'];
  /** What was read for `verify = arc`. */
  arc: ArcVerification | undefined;
}

export class AclRunner {
  readonly #runtime: Runtime;
  readonly #context: Context;
  readonly #surroundings: AclSurroundings;
  readonly #verifier: Verifier;
  /** Of the message that is being received. */
  requests = new AclRequests();
  #current: AclRun | undefined;
  readonly #connectionRates = new Map<string, number>();

  constructor(runtime: Runtime, context: Context, surroundings: AclSurroundings) {
    this.#runtime = runtime;
    this.#context = context;
    this.#surroundings = surroundings;
    this.#verifier = new Verifier(runtime, context, {
      ...surroundings,
      verifiedSenders: () => this.requests.verifiedSenders,
    });
  }

  /** Runs the ACL that an option names; nothing when the option is not set. */
  async run(phase: Phase, option: Template | undefined, recipient?: AclRecipient): Promise<AclResult | undefined> {
    if (option === undefined) return undefined;
    const context = this.#context;
    const run = this.#newRun(phase, recipient);
    const earlier = { address: context.address, acl: context.acl, current: this.#current };
    context.acl ??= newAclFacts();
    if (recipient !== undefined) {
      const facts = factsOf(originalAddress(recipient.address));
      context.address = { ...facts, originalLocalPart: '', originalDomain: '' };
    }
    try {
      const expansion =
        option.constant === undefined ? await option.expand(context) : { ok: true as const, text: option.constant };
      if (!expansion.ok) {
        if (expansion.kind === 'forced') return undefined;
        return result(run, 'error', `failed to expand ACL string "${option.source}": ${expansion.message}`);
      }
      if (expansion.text.value === '') return result(run, 'deny', '');
      this.#current = run;
      return await runAcl(expansion.text, run);
    } finally {
      context.address = earlier.address;
      this.#current = earlier.current;
    }
  }

  /** What was warned of before may be warned of again: a greeting, or a message, begins. */
  beginCommand(): void {
    this.requests.warned.clear();
  }

  /** Forgets what the ACLs asked for, and lets go of what was kept for the message. */
  forgetMessage(): void {
    const { noMultilineResponses } = this.requests.controls;
    this.requests = new AclRequests();
    // said once, it holds for the session
    this.requests.controls.noMultilineResponses = noMultilineResponses;
    this.#verifier.release();
  }

  /** What a callout has begun and holds, for the delivery of the message. */
  takeHeld(): Promise<BegunTransaction | undefined> {
    return this.#verifier.takeHeld();
  }

  /** The verifier, for those who deliver a message while it is received (control = cutthrough_delivery). */
  get delivering(): Pick<Verifier, 'heldRecipients' | 'takeDeliveries' | 'begin' | 'release'> {
    return this.#verifier;
  }

  /** Whether the name in HELO is the client's. */
  verifyHelo(): ReturnType<Verifier['verifyHelo']> {
    return this.#verifier.verifyHelo();
  }

  /** What becomes of commands that need an ACL and have none. */
  denial(): AclResult {
    return result(this.#newRun('unknown', undefined), 'deny', undefined);
  }

  /** `${acl}` and the condition `acl` of expansions: within the ACL that is running, or on its own. */
  async runFromExpansion(name: Text, args: readonly Text[]): Promise<AclAnswer> {
    const context = this.#context;
    context.acl ??= newAclFacts();
    const run = this.#current ?? this.#newRun('unknown', undefined);
    const texts = { user: run.userMessage, log: run.logMessage };
    const result = await callWithArguments(name, args, run);
    run.userMessage = texts.user;
    run.logMessage = texts.log;
    const outcome = result.outcome === 'drop' ? 'deny' : result.outcome;
    return { outcome, message: (result.outcome === 'error' ? result.logMessage : result.userMessage) ?? '' };
  }

  #newRun(phase: Phase, recipient: AclRecipient | undefined): AclRun {
    const { requests } = this;
    const { acl } = this.#context;
    if (acl !== undefined) acl.headersAdded = requests.addedHeaders;
    return {
      phase,
      context: this.#context,
      services: this.#services(),
      controls: requests.controls,
      addedHeaders: requests.addedHeaders,
      removedHeaders: requests.removedHeaders,
      recipient,
      measured: { connection: this.#connectionRates, message: requests.rates, recipient: new Map() },
      warned: requests.warned,
      userMessage: undefined,
      logMessage: undefined,
      smtpCode: true,
      senderProblem: undefined,
      rejectTargets: ['main', 'reject'],
    };
  }

  #services(): AclServices {
    const { config, logs, resolver, rates, seen } = this.#runtime;
    return {
      verifier: this.#verifier,
      resolver,
      rates,
      seen,
      delay: (seconds) => this.#surroundings.delay(seconds),
      message: () => this.requests.copy,
      mimePart: () => this.requests.part,
      scanners: this.#scanners(),
      dmarc: () => examineDmarc(this.#context, this.#runtime, this.#dmarcWishes()),
      arc: () => this.requests.arc?.answer(resolver),
      spf: { guess: config.main.spf_guess, commentTemplate: config.main.spf_smtp_comment_template },
      csa: config.main,
      log: (targets, text) => this.log(targets, text),
      hostText: () => this.hostText(),
      named: (name) => config.acls.get(name),
      logsSkippedWarnings: logs.selects('acl_warn_skipped'),
      logsDeferredDnsLists: logs.selects('dnslist_defer'),
    };
  }

  #dmarcWishes(): DmarcWishes {
    const { checksDmarc: check, reportsDmarc } = this.requests.controls;
    const { isTest } = this.#surroundings;
    return { check, note: !isTest, report: reportsDmarc && !isTest };
  }

  #scanners(): ScannerSettings {
    const { requests } = this;
    const { av_scanner: avScanner, spamd_address: spamdAddress } = this.#runtime.config.main;
    return {
      avScanner,
      spamdAddress,
      spamAnswers: requests.spamAnswers,
      get malwareAnswer() {
        return requests.malwareAnswer;
      },
      set malwareAnswer(answer) {
        requests.malwareAnswer = answer;
      },
    };
  }

  /** Content scanners may see the message while `work` runs its ACLs; what was made for them goes afterwards. */
  async withMessage<Result>(arrival: Scanned, work: () => Promise<Result>): Promise<Result> {
    const copy = messageCopy(arrival);
    this.requests.copy = copy;
    try {
      return await work();
    } finally {
      this.requests.copy = undefined;
      copy.remove(this.requests.controls.keepsScanFiles);
    }
  }

  /** `H=… [1.2.3.4] `, as log lines of ACLs begin; empty for a local process. */
  hostText(): string {
    const { connection } = this.#context;
    if (connection === undefined) return '';
    const text = hostFields(connection, (selector) => this.#runtime.logs.selects(selector)).slice(1);
    return text === '' ? '' : `${text} `;
  }

  /** Writes a line to some of the logs: one, whatever the text holds. */
  log(targets: readonly RejectTarget[], text: string): void {
    const { logs, settings } = this.#runtime;
    const id = this.#context.message?.id;
    logs.write(targets, printingLine(text, settings.printTopBitCharacters), id === '' ? undefined : id);
  }
}

/** The answer of an ACL that was not run. */
function result(run: AclRun, outcome: 'deny' | 'error', logMessage: string | undefined): AclResult {
  const { rejectTargets } = run;
  return { outcome, userMessage: undefined, logMessage, smtpCode: false, senderProblem: undefined, rejectTargets };
}
