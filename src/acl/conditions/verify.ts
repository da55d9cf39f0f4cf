/** `verify`: whether an address, a name or header lines are what they should be (Exim spec 44.25, 44.42). */

import { type Eventual, then } from '../../lib/eventual.ts';
import { splitList } from '../../lib/list-text.ts';
import { lower } from '../../lib/octets.ts';
import type { AclRun, ConditionAnswer, Phase, TextCondition } from '../acl.ts';
import { namedPhase, withoutContent, withoutDecision, withoutHeaders, withoutRecipient } from '../phases.ts';
import type { HeaderQuestion, VerifyOptions } from '../verifier.ts';
import { verifyArc } from './verify-arc.ts';
import { verifyCsa } from './verify-csa.ts';
import { parseVerifyOptions, type Subject } from './verify-options.ts';

interface Verification {
  readonly forbidden: readonly Phase[];
  /** What kind of options it has; without it, it has none. */
  readonly subject?: Subject | undefined;
  /** Options of its own, in place of those. */
  readonly words?: readonly string[] | 'any' | undefined;
  run(run: AclRun, options: VerifyOptions, words: readonly string[]): Eventual<ConditionAnswer>;
}

interface Texts {
  readonly userMessage: string | undefined;
  readonly logMessage: string;
  readonly smtpCode: boolean;
}

/** A verification that did not succeed leaves its texts for the statement, and for what follows in it. */
function leave(run: AclRun, { userMessage, logMessage, smtpCode }: Texts): void {
  run.userMessage = userMessage;
  run.logMessage = logMessage;
  run.smtpCode = smtpCode;
  note(run, userMessage ?? logMessage);
}

/** `$acl_verify_message` for the rest of the statement. */
function note({ context }: AclRun, text: string): void {
  if (context.acl) context.acl.verifyMessage = text;
}

/** The same for header lines: `$acl_verify_message` is what the client may know, which is nothing most of the time. */
function refuseHeaders(run: AclRun, outcome: 'fail' | 'defer', texts: Omit<Texts, 'smtpCode'>): ConditionAnswer {
  const answer = refuse(run, outcome, { ...texts, smtpCode: false });
  note(run, texts.userMessage ?? '');
  return answer;
}

function refuse(run: AclRun, outcome: 'fail' | 'defer', texts: Texts): ConditionAnswer {
  leave(run, texts);
  return outcome === 'fail' ? 'false' : { defer: texts.logMessage, isPublic: true };
}

const recipient: Verification = {
  forbidden: withoutRecipient,
  subject: 'recipient',
  run: (run, options) =>
    then(run.services.verifier.recipient(run, options), (result): ConditionAnswer => {
      const { acl } = run.context;
      if (acl) acl.recipientVerifyFailure = result.outcome === 'ok' ? (result.finding ?? '') : result.failure;
      if (result.outcome === 'ok') return 'true';
      if (!result.tolerated) return refuse(run, result.outcome, result);
      note(run, result.userMessage ?? '');
      return 'true';
    }),
};

/** The envelope sender, or the address that is given. A bounce has no sender that could be wrong. */
const sender = (address: string | undefined): Verification => ({
  forbidden: withoutDecision,
  subject: 'sender',
  run(run, options) {
    const subject = address ?? run.context.message?.sender ?? '';
    if (subject === '') return 'true';
    return then(run.services.verifier.sender(run, subject, options), (result): ConditionAnswer => {
      const { acl } = run.context;
      if (acl) acl.senderVerifyFailure = result.outcome === 'ok' ? (result.finding ?? '') : result.failure;
      if (result.outcome === 'ok') return 'true';
      if (result.tolerated) {
        note(run, result.userMessage ?? '');
        return 'true';
      }
      run.senderProblem = result.problem;
      return refuse(run, result.outcome, result);
    });
  },
});

const headerSender: Verification = {
  forbidden: withoutHeaders,
  subject: 'header_sender',
  run: (run, options) =>
    then(run.services.verifier.headerSender(run, options), (result): ConditionAnswer => {
      const { acl } = run.context;
      if (acl) acl.senderVerifyFailure = result.failure;
      return result.outcome === 'ok' ? 'true' : refuseHeaders(run, result.outcome, result);
    }),
};

const helo: Verification = {
  forbidden: [],
  // a program that hands a message in greets nobody
  run: (run) =>
    run.phase.startsWith('non-SMTP') ? 'false' : then(run.services.verifier.helo(run), (ok) => (ok ? 'true' : 'false')),
};

const reverseHostLookup: Verification = {
  forbidden: [],
  words: 'any',
  run(run, _, words) {
    const { connection } = run.context;
    if (connection === undefined || connection.hostAddress === '') return 'true';
    return then(run.context.services.findHostName(run.context), (): ConditionAnswer => {
      if (connection.hostName !== '') return 'true';
      const { hostLookupDeferred: isDeferred } = connection;
      if (isDeferred && words.includes('defer_ok')) return 'true';
      const message = isDeferred
        ? 'host lookup deferred for reverse lookup check'
        : 'host lookup failed for reverse lookup check (failed to find host name from IP address)';
      run.logMessage = message;
      return isDeferred ? { defer: message, isPublic: true } : 'false';
    });
  },
};

const headers = (what: HeaderQuestion, words?: readonly string[]): Verification => ({
  forbidden: withoutHeaders,
  words,
  run: (run, _, given) =>
    then(run.services.verifier.headers(run, what, given), (problem): ConditionAnswer => {
      if (problem === undefined) return 'true';
      return what === 'header_syntax'
        ? refuse(run, 'fail', { ...problem, smtpCode: false })
        : refuseHeaders(run, 'fail', problem);
    }),
});

/** The client came over TLS and showed a certificate that is good (tls_verify_hosts, tls_try_verify_hosts). */
const certificate: Verification = {
  forbidden: [],
  run(run) {
    if (run.context.connection?.tls?.verified) return 'true';
    const text = 'no verified certificate';
    leave(run, { userMessage: text, logMessage: text, smtpCode: run.smtpCode });
    return 'false';
  },
};

const verifications: ReadonlyMap<string, Verification> = new Map([
  ['recipient', recipient],
  ['sender', sender(undefined)],
  ['helo', helo],
  ['reverse_host_lookup', reverseHostLookup],
  ['header_syntax', headers('header_syntax')],
  ['header_names_ascii', headers('header_names_ascii')],
  ['header_sender', headerSender],
  ['not_blind', headers('not_blind', ['case_insensitive'])],
  ['certificate', certificate],
  ['csa', { forbidden: [], words: 'any', run: (run, _, words) => verifyCsa(run, words) }],
  ['arc', { forbidden: withoutContent, words: 'any', run: (run, _, states) => verifyArc(run, states) }],
]);

export const verify: TextCondition = {
  kind: 'condition',
  name: 'verify',
  doc: 'An address, a name or header lines are in order.',
  forbidden: [],
  test(text, run) {
    // a slash that is doubled is part of an address, one at the end says nothing
    const [head = '', ...parts] = splitList(text, '/').items;
    const named = /^sender[ \t-\r]*=[ \t-\r]*(.*)$/i.exec(head)?.[1];
    const verification = named === undefined ? verifications.get(lower(head)) : sender(named);
    if (verification === undefined) {
      return {
        error: `expected "sender[=address]", "recipient", "helo", "header_syntax", "header_sender", "header_names_ascii" or "reverse_host_lookup" at start of ACL condition "verify ${text}"`,
      };
    }
    const { subject, forbidden, words } = verification;
    if (subject === undefined && words === undefined && parts.length > 0) {
      return { error: `unexpected '/' found in "${text}" (this verify item has no options)` };
    }
    if (forbidden.includes(run.phase))
      return { error: `cannot verify ${/^[^=]*/.exec(head)?.[0]} in ACL for ${namedPhase(run.phase)}` };
    const own = words === undefined ? [] : parts.filter((part) => words === 'any' || words.includes(part));
    const options = parseVerifyOptions(
      parts.filter((part) => !own.includes(part)),
      subject ?? 'recipient',
      text,
    );
    return 'error' in options ? options : verification.run(run, options, own);
  },
};
