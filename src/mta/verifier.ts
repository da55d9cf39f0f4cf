/** Answers what the ACLs of a session ask when they verify something (`acl/verifier.ts`; Exim spec 44.25, 44.45 - 44.51). */

import type { AclRun, Controls } from '../acl/acl.ts';
import type {
  AclVerifier,
  CalloutOptions,
  HeaderProblem,
  HeaderQuestion,
  HeaderSenderResult,
  SenderProblem,
  VerifyOptions,
  VerifyResult,
} from '../acl/verifier.ts';
import type { Context } from '../expand/context.ts';
import type { RoutingPurpose } from '../routers/router.ts';
import { Text } from '../safe/taint.ts';
import type { BegunTransaction } from '../transports/smtp-kept.ts';
import { rewriteTools } from './arrival.ts';
import { type BegunDeliveries, Callouts } from './callout.ts';
import type { CalloutResult } from './callout-texts.ts';
import { incomplete, senderDetails } from './callout-texts.ts';
import { recipientOf } from './delivery-request.ts';
import { headerProblem, headerSenders } from './header-checks.ts';
import { rewriteAddress } from './rewrite.ts';
import { routerServices } from './router-services.ts';
import type { RouteRules } from './routing.ts';
import type { Runtime } from './runtime.ts';
import type { LocalDeliveries } from './subprocess.ts';
import { inVerifyMode, type Verification, verifyAddress } from './verify.ts';
import { type HeloVerdict, verifyHelo } from './verify-helo.ts';

/** A verification with all that was asked for. */
interface Verified {
  readonly verification: Verification;
  readonly callout: CalloutResult | undefined;
}

/** Senders that were verified without a callout, and what is wrong with those that are no good. */
export type VerifiedSenders = Map<string, { readonly verified: Verified; readonly problem: SenderProblem | undefined }>;

export interface VerifierSurroundings {
  flush(): Promise<void>;
  readonly allowUnqualifiedSenders: boolean;
  readonly makesCallouts: boolean;
  readonly processes?: LocalDeliveries | undefined;
  /** Of the message that is being received. */
  verifiedSenders(): VerifiedSenders;
}

/** Why an address is no good: routing, or a callout. */
interface Failed {
  readonly outcome: 'fail' | 'defer';
  readonly message: string;
  readonly publicMessage: string | undefined;
  readonly smtpCode: boolean;
  readonly failure: string;
  readonly isCallout: boolean;
}

function failedOf({ verification, callout }: Verified): Failed | undefined {
  if (verification.outcome !== 'ok') return { ...verification, failure: 'route', isCallout: false };
  return callout === undefined || callout.outcome === 'ok'
    ? undefined
    : { ...callout, smtpCode: false, isCallout: true };
}

const unqualified: Failed = {
  outcome: 'fail',
  message: '',
  publicMessage: undefined,
  smtpCode: false,
  failure: 'qualify',
  isCallout: false,
};

const findingOf = ({ callout }: Verified): 'random' | undefined =>
  callout?.outcome === 'ok' && callout.by === 'random' ? 'random' : undefined;

/** How the delivery of a message begins before it is there (Exim spec 44.22, cutthrough_delivery). */
const beginning: CalloutOptions = {
  timeout: 30,
  connectTimeout: 30,
  longest: 120,
  deferOk: false,
  noCache: true,
  random: false,
  postmasterSender: undefined,
  fullPostmaster: false,
  sender: 'of the message',
  mailFrom: '',
  hold: true,
};

/** What the next host said of a recipient. */
export interface NotBegun {
  readonly outcome: 'fail' | 'defer';
  /** Its own words, when it put the recipient off. */
  readonly response: string | undefined;
}

/** Whether what could not be told counts as good. */
const tolerates = ({ outcome, isCallout }: Failed, { deferOk, callout }: VerifyOptions): boolean =>
  outcome === 'defer' && (deferOk || (isCallout && callout?.deferOk === true));

export class Verifier implements AclVerifier {
  readonly #runtime: Runtime;
  readonly #context: Context;
  readonly #surroundings: VerifierSurroundings;
  readonly #rules: Omit<RouteRules, 'purpose'>;
  readonly #callouts: Callouts;

  constructor(runtime: Runtime, context: Context, surroundings: VerifierSurroundings) {
    this.#runtime = runtime;
    this.#context = context;
    this.#surroundings = surroundings;
    const { config } = runtime;
    this.#rules = {
      routers: config.routers,
      transports: config.transports,
      services: routerServices(runtime),
      debugPrint: undefined,
      verifyErrorsTo: undefined,
    };
    this.#callouts = new Callouts(runtime, context);
  }

  /** Ends what was held for the next recipient. */
  release(): void {
    this.#callouts.release();
  }

  /** What was held, for the delivery of the message. */
  takeHeld(): Promise<BegunTransaction | undefined> {
    return this.#callouts.takeHeld();
  }

  /** Recipients of the transaction that is held. */
  get heldRecipients(): number {
    return this.#callouts.heldRecipients;
  }

  /** What was held, with the deliveries that it is. */
  takeDeliveries(): Promise<BegunDeliveries | undefined> {
    return this.#callouts.takeDeliveries();
  }

  /** Names a recipient to the host that is to have the message; `size` is what MAIL announces. */
  async begin(recipient: string, size: number, controls: Controls): Promise<NotBegun | undefined> {
    const options: VerifyOptions = { deferOk: false, noDetails: false, successOnRedirect: false, callout: beginning };
    const address = await this.#rewritten(recipient);
    const { verification, callout } = await this.#verify(controls, address, 'recipient', options, size);
    if (verification.outcome !== 'ok') return { outcome: verification.outcome, response: undefined };
    return callout === undefined || callout.outcome === 'ok'
      ? undefined
      : { outcome: callout.outcome, response: callout.response };
  }

  async #rewritten(recipient: string): Promise<string> {
    const tools = rewriteTools(this.#runtime, undefined);
    if (tools.rules.length === 0) return recipient;
    return (await rewriteAddress(recipient, 'envelope recipient', tools, this.#context)).address;
  }

  async recipient(run: AclRun, options: VerifyOptions): Promise<VerifyResult> {
    const { recipient, context } = run;
    if (recipient === undefined) return { outcome: 'ok' };
    const address = await this.#rewritten(recipient.address);
    const { quota } = options;
    const { processes } = this.#surroundings;
    if (quota !== undefined && processes !== undefined) {
      const { verifyQuota } = await import('./verify-quota.ts');
      return verifyQuota(
        address,
        { ...options, quota },
        {
          runtime: this.#runtime,
          context,
          rules: this.#rules,
          processes,
        },
      );
    }
    const verified = await this.#verify(run.controls, address, 'recipient', options);
    const failed = failedOf(verified);
    if (failed !== undefined) {
      const { outcome, publicMessage: userMessage, message: logMessage, smtpCode, failure } = failed;
      return {
        outcome,
        userMessage,
        logMessage,
        smtpCode,
        failure,
        problem: undefined,
        tolerated: tolerates(failed, options),
      };
    }
    const { verification, callout } = verified;
    if (context.address && verification.outcome === 'ok' && verification.data !== undefined) {
      Object.assign(context.address, verification.data);
    }
    if (context.address && verification.outcome === 'ok' && callout?.outcome === 'ok' && callout.by !== 'nobody') {
      // a host has vouched for it
      const { localPart, domain } = verification.route?.address ?? recipient;
      context.address.localPartData = Text.vouched(localPart);
      context.address.domainData = Text.vouched(domain);
    }
    return { outcome: 'ok', finding: findingOf(verified) };
  }

  async sender(run: AclRun, address: string, options: VerifyOptions): Promise<VerifyResult> {
    // `sender=jane`: nobody says what is wrong with it
    const isQualified = address.includes('@');
    const { verified, problem } = await this.#sender(run, address, options);
    const { verification } = verified;
    if (verification.outcome === 'ok' && run.context.acl) {
      run.context.acl.senderAddressData = verification.data?.addressData;
    }
    const failed = isQualified ? failedOf(verified) : unqualified;
    if (failed === undefined) return { outcome: 'ok', finding: findingOf(verified) };
    const { outcome, failure } = failed;
    const told = isQualified ? problem : problem && { ...problem, outcome, logMessage: undefined, details: '' };
    return {
      outcome,
      ...this.#senderTexts(failed, options),
      smtpCode: false,
      failure,
      problem: options.noDetails ? undefined : told,
      tolerated: tolerates(failed, options),
    };
  }

  #senderTexts(
    { outcome, isCallout, message, publicMessage }: Failed,
    { noDetails }: VerifyOptions,
  ): {
    readonly userMessage: string | undefined;
    readonly logMessage: string;
  } {
    if (outcome === 'fail') return { userMessage: 'Sender verify failed', logMessage: 'Sender verify failed' };
    if (isCallout) return { userMessage: publicMessage, logMessage: incomplete('sender') };
    const logMessage = 'Could not complete sender verify';
    const details = noDetails ? `${message}\n` : '';
    return { userMessage: this.#withDetails ? `${details}${logMessage}` : undefined, logMessage };
  }

  get #withDetails(): boolean {
    return this.#runtime.config.main.smtp_return_error_details;
  }

  /** Without a callout a sender is verified once per message. */
  async #sender(
    run: AclRun,
    address: string,
    options: VerifyOptions,
  ): Promise<{ readonly verified: Verified; readonly problem: SenderProblem | undefined }> {
    const known = this.#surroundings.verifiedSenders();
    const earlier = options.callout === undefined ? known.get(address) : undefined;
    if (earlier !== undefined) return earlier;
    const verified = await this.#verify(run.controls, address, 'sender', options);
    const failed = failedOf(verified);
    const problem = failed && problemOf(address, failed);
    const found = { verified, problem };
    if (options.callout === undefined) known.set(address, found);
    return found;
  }

  /** Routes the address and, where that is wanted, asks the hosts that it leads to. */
  async #verify(
    controls: Controls,
    address: string,
    subject: 'sender' | 'recipient',
    options: VerifyOptions,
    size = 0,
  ): Promise<Verified> {
    const context = this.#context;
    const facts = context.address;
    const { numeric } = context.results;
    const purpose: RoutingPurpose = `verify ${subject}`;
    const { successOnRedirect } = options;
    const verification = await verifyAddress(address, purpose, context, this.#rules, { successOnRedirect });
    context.address = facts;
    context.results.numeric = numeric;
    const callout = await inVerifyMode(context, purpose, () =>
      this.#callout(controls, verification, subject, options, size),
    );
    return { verification, callout };
  }

  async #callout(
    controls: Controls,
    verification: Verification,
    subject: 'sender' | 'recipient',
    { callout: options }: VerifyOptions,
    size: number,
  ): Promise<CalloutResult | undefined> {
    if (options === undefined || !this.#surroundings.makesCallouts) return undefined;
    if (verification.outcome !== 'ok' || verification.route === undefined) return undefined;
    const { address, delivery, hosts, isWhole } = verification.route;
    const message = this.#context.message?.sender ?? '';
    const { qualifyDomain } = this.#runtime.settings;
    const senders = { empty: options.mailFrom, 'of the message': message, postmaster: `postmaster@${qualifyDomain}` };
    const sender = subject === 'sender' ? options.mailFrom : senders[options.sender];
    const flush = controls.noCalloutFlush ? async () => undefined : () => this.#surroundings.flush();
    const route = {
      recipient: delivery === undefined ? address.address : recipientOf(delivery),
      facts: delivery?.facts ?? this.#context.address,
      transport: delivery?.transport,
      hosts,
      whole: isWhole ? delivery : undefined,
    };
    const addition = delivery?.transport.options['size_addition'];
    const announced = size > 0 && typeof addition === 'number' ? size + addition : 0;
    const keeps = options.hold || (subject === 'recipient' && controls.cutthrough !== undefined);
    return this.#callouts.ask(route, { subject, options, sender, keeps, size: announced, flush });
  }

  headers(_: AclRun, what: HeaderQuestion, options: readonly string[]): HeaderProblem | undefined {
    const { message } = this.#context;
    const problem = headerProblem(what, {
      ignoresCase: options.includes('case_insensitive'),
      headers: message?.headers ?? [],
      recipients: message?.recipients ?? [],
      allowUnqualified: this.#surroundings.allowUnqualifiedSenders,
    });
    return problem === undefined ? undefined : this.#headerTexts(problem, problem);
  }

  #headerTexts(logMessage: string, details: string): HeaderProblem {
    return { userMessage: this.#withDetails ? `Rejected after DATA: ${details}` : undefined, logMessage };
  }

  async headerSender(run: AclRun, options: VerifyOptions): Promise<HeaderSenderResult> {
    let outcome: 'fail' | 'defer' = 'fail';
    let failure = '';
    let details = '';
    for (const { name, address, problem } of headerSenders({ headers: this.#context.message?.headers ?? [] })) {
      if (problem !== undefined) {
        const text = `syntax error in '${name}' header when scanning for sender: ${problem} in "${address}"`;
        return { outcome: 'fail', failure: '', ...this.#headerTexts(text, text) };
      }
      // one that may lack its domain was given it before
      const isQualified = address.includes('@');
      const failed = isQualified ? failedOf((await this.#sender(run, address, options)).verified) : unqualified;
      if (failed === undefined) return { outcome: 'ok', failure: '' };
      if (tolerates(failed, options)) return { outcome: 'ok', failure: failed.failure };
      if (failed.outcome === 'defer') outcome = 'defer';
      ({ failure } = failed);
      details = `could not verify "${name}" header address\n${address}: ${failed.message || (failed.publicMessage ?? '')}`;
    }
    const text =
      outcome === 'defer'
        ? 'all attempts to verify a sender in a header line deferred'
        : 'there is no valid sender in any header line';
    return { outcome, failure, ...this.#headerTexts(text, details || text) };
  }

  async helo(): Promise<boolean> {
    return (await this.verifyHelo()) === 'verified';
  }

  verifyHelo(): Promise<HeloVerdict> {
    return verifyHelo(this.#context);
  }
}

function problemOf(address: string, { outcome, message, publicMessage, failure, isCallout }: Failed): SenderProblem {
  // a text that is there and is not for the client: nothing is told; one that is missing leaves the heading
  const isSecret = !publicMessage && message !== '';
  const said = isSecret ? '' : senderDetails(address, failure, publicMessage ?? '');
  const details = outcome === 'defer' ? message : said;
  const logMessage = isCallout && message === '' ? undefined : message;
  return { address, outcome, logMessage, details, told: false };
}
