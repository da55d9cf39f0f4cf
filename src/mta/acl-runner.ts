/** Runs the ACLs of one session or submission, and answers what they ask: verification, delays, logs (`acl/acl.ts`). */

import type {
  AclRecipient,
  AclResult,
  AclRun,
  AclServices,
  AclVerifier,
  AddedHeader,
  Controls,
  Phase,
  RejectTarget,
  VerifyResult,
} from '../acl/acl.ts';
import { newControls } from '../acl/acl.ts';
import type { MessageCopy } from '../acl/message-copy.ts';
import { callWithArguments, runAcl } from '../acl/run.ts';
import type { ScannerSettings } from '../acl/scan/settings.ts';
import type { AclAnswer, Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { lower } from '../lib/octets.ts';
import { parseIp } from '../net/address.ts';
import { systemAddresses } from '../net/hosts.ts';
import type { Text } from '../safe/taint.ts';
import { factsOf, originalAddress } from './address.ts';
import { type Arrival, rewriteTools } from './arrival.ts';
import { hostFields } from './arrival-log.ts';
import { newAclFacts } from './facts.ts';
import { headerProblem } from './header-checks.ts';
import { messageCopy } from './message-copy.ts';
import { rewriteAddress } from './rewrite.ts';
import { routerServices } from './router-services.ts';
import type { RouteRules } from './routing.ts';
import type { Runtime } from './runtime.ts';
import { type Verification, verifyAddress } from './verify.ts';

/** What one session can do that the runner cannot. */
export interface AclSurroundings {
  /** Sends what was answered so far, then waits. */
  delay(seconds: number): Promise<void>;
  readonly allowUnqualifiedSenders: boolean;
}

/** Headers and controls that the ACLs of one message have asked for. */
export class AclRequests {
  readonly addedHeaders: AddedHeader[] = [];
  readonly removedHeaders: string[] = [];
  readonly warned = new Set<string>();
  readonly verifiedSenders = new Map<string, Verification>();
  readonly toldSenders = new Set<string>();
  /** Rates that were measured for this message. */
  readonly rates = new Map<string, number>();
  controls: Controls = newControls();
  /** The whole message, while its ACL runs. */
  copy: MessageCopy | undefined;
  /** What scanners have said of the message. */
  readonly spamAnswers: ScannerSettings['spamAnswers'] = new Map();
  malwareAnswer: ScannerSettings['malwareAnswer'];
}

/** Options of an address verification: those that change its meaning, and those of features that are not there yet. */
const verifyOptions =
  /^(?:callout(?:=.*)?|defer_ok|success_on_redirect|fullpostmaster(?:=.*)?|postmaster(?:=.*)?|no_details|quota(?:=.*)?)$/;

export class AclRunner {
  readonly #runtime: Runtime;
  readonly #context: Context;
  readonly #surroundings: AclSurroundings;
  readonly #rules: Omit<RouteRules, 'purpose'>;
  /** Of the message that is being received. */
  requests = new AclRequests();
  #current: AclRun | undefined;
  readonly #connectionRates = new Map<string, number>();

  constructor(runtime: Runtime, context: Context, surroundings: AclSurroundings) {
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

  /** What becomes of commands that need an ACL and have none. */
  denial(): AclResult {
    return result(this.#newRun('unknown', undefined), 'deny', '');
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
    return { outcome, message: result.outcome === 'error' ? result.logMessage : result.userMessage };
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
      userMessage: '',
      logMessage: '',
      smtpCode: true,
      senderProblem: undefined,
      rejectTargets: ['main', 'reject'],
    };
  }

  #services(): AclServices {
    const { config, logs, resolver, rates, seen } = this.#runtime;
    return {
      verifier: this.#verifier(),
      resolver,
      rates,
      seen,
      delay: (seconds) => this.#surroundings.delay(seconds),
      message: () => this.requests.copy,
      scanners: this.#scanners(),
      log: (targets, text) => this.log(targets, text),
      hostText: () => this.hostText(),
      named: (name) => config.acls.get(name),
      logsSkippedWarnings: logs.selects('acl_warn_skipped'),
    };
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

  /** Runs the ACL for a whole message, which content scanners may see meanwhile. */
  async runForMessage(
    phase: Phase,
    option: Template | undefined,
    arrival: Arrival,
    recipient?: AclRecipient,
  ): Promise<AclResult | undefined> {
    if (option === undefined) return undefined;
    const copy = messageCopy(arrival);
    this.requests.copy = copy;
    try {
      return await this.run(phase, option, recipient);
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

  /** Writes a line to some of the logs. */
  log(targets: readonly RejectTarget[], text: string): void {
    const { logs } = this.#runtime;
    const id = this.#context.message?.id;
    logs.write(targets, text, id === '' ? undefined : id);
  }

  #verifier(): AclVerifier {
    return {
      recipient: (run, options) => this.#verifyRecipient(run, options),
      sender: (run, address, options) => this.#verifySender(run, address, options),
      helo: async () => {
        const found = await this.verifyHelo();
        return found === 'verified';
      },
      headers: (_, what, options) =>
        headerProblem(what, {
          ignoresCase: options.includes('case_insensitive'),
          headers: this.#context.message?.headers ?? [],
          recipients: this.#context.message?.recipients ?? [],
          allowUnqualified: this.#surroundings.allowUnqualifiedSenders,
          verifySender: async (address) => (await this.#verifiedSender(address)).outcome,
        }),
    };
  }

  async #verifyRecipient(run: AclRun, options: readonly string[]): Promise<VerifyResult> {
    const unknown = options.find((option) => !verifyOptions.test(option));
    if (unknown !== undefined) {
      return {
        outcome: 'error',
        message: `unknown option "${unknown}" in ACL condition "verify recipient/${options.join('/')}"`,
      };
    }
    const { recipient, context } = run;
    if (recipient === undefined) return { outcome: 'ok' };
    const facts = context.address;
    const numeric = context.results.numeric;
    const tools = rewriteTools(this.#runtime, undefined);
    const address =
      tools.rules.length === 0
        ? recipient.address
        : (await rewriteAddress(recipient.address, 'envelope recipient', tools, context)).address;
    const result = await verifyAddress(address, 'verify recipient', context, this.#rules, {
      successOnRedirect: options.includes('success_on_redirect'),
    });
    context.address = facts;
    context.results.numeric = numeric;
    if (result.outcome === 'ok') {
      if (facts && result.data !== undefined) Object.assign(facts, result.data);
      return { outcome: 'ok' };
    }
    if (result.outcome === 'defer' && options.includes('defer_ok')) return { outcome: 'ok' };
    return refusal(result, true);
  }

  async #verifySender(run: AclRun, address: string, options: readonly string[]): Promise<VerifyResult> {
    const unknown = options.find((option) => !verifyOptions.test(option));
    if (unknown !== undefined) {
      return {
        outcome: 'error',
        message: `unknown option "${unknown}" in ACL condition "verify sender/${options.join('/')}"`,
      };
    }
    const own = address === run.context.message?.sender;
    const result = await this.#verifiedSender(address);
    if (own && result.outcome === 'ok' && run.context.acl) run.context.acl.senderAddressData = result.data?.addressData;
    if (result.outcome === 'ok') return { outcome: 'ok' };
    if (result.outcome === 'defer' && options.includes('defer_ok')) return { outcome: 'ok' };
    const { toldSenders } = this.requests;
    const first = !toldSenders.has(address) && !options.includes('no_details');
    toldSenders.add(address);
    return refusal(result, first);
  }

  /** A sender is verified once per message. */
  async #verifiedSender(address: string): Promise<Verification> {
    const known = this.requests.verifiedSenders.get(address);
    if (known !== undefined) return known;
    const context = this.#context;
    const facts = context.address;
    const numeric = context.results.numeric;
    const result = await verifyAddress(address, 'verify sender', context, this.#rules);
    context.address = facts;
    context.results.numeric = numeric;
    this.requests.verifiedSenders.set(address, result);
    return result;
  }

  /** Whether the name in HELO is the client's: its address in brackets, its name, or a name with its address. */
  async verifyHelo(): Promise<'verified' | 'failed' | 'deferred'> {
    const { connection, services } = this.#context;
    const known = (yes: boolean) => (yes ? 'verified' : 'failed');
    if (connection === undefined || connection.hostAddress === '') return 'verified';
    const helo = lower(connection.heloName);
    if (helo === '') return 'failed';
    const literal = /^\[(?:ipv6:)?([^\]]*)\]$/.exec(helo)?.[1];
    if (literal !== undefined) {
      const [given, real] = [parseIp(literal), parseIp(connection.hostAddress)];
      return known(given !== undefined && real !== undefined && Buffer.from(given).equals(Buffer.from(real)));
    }
    await services.findHostName(this.#context);
    if ([connection.hostName, ...connection.hostAliases].some((name) => lower(name) === helo)) return 'verified';
    const found = await systemAddresses(helo);
    if (found.outcome === 'defer') return 'deferred';
    return known(found.outcome === 'found' && found.addresses.includes(connection.hostAddress));
  }
}

function refusal(result: Verification & { readonly outcome: 'fail' | 'defer' }, first: boolean): VerifyResult {
  return {
    outcome: result.outcome,
    userMessage: result.publicMessage,
    logMessage: result.message,
    smtpCode: result.smtpCode,
    failure: 'route',
    first,
  };
}

/** The answer of an ACL that was not run. */
function result(run: AclRun, outcome: 'deny' | 'error', logMessage: string): AclResult {
  const { rejectTargets } = run;
  return { outcome, userMessage: '', logMessage, smtpCode: false, senderProblem: undefined, rejectTargets };
}
