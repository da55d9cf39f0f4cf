/** `verify`: whether an address, a name or header lines are what they should be (Exim spec 44.25, 44.42). */

import { type Eventual, then } from '../../lib/eventual.ts';
import { trim } from '../../lib/octets.ts';
import type { AclRun, ConditionAnswer, HeaderQuestion, Phase, TextCondition, VerifyResult } from '../acl.ts';
import { withoutHeaders, withoutRecipient } from '../phases.ts';

interface Verification {
  readonly forbidden: readonly Phase[];
  run(options: readonly string[], run: AclRun): Eventual<ConditionAnswer>;
}

/** A verification that did not succeed leaves its texts for the statement. */
function refuse(run: AclRun, result: VerifyResult & { readonly outcome: 'fail' | 'defer' }): ConditionAnswer {
  run.userMessage = result.userMessage;
  run.logMessage = result.logMessage;
  run.smtpCode = result.smtpCode;
  return result.outcome === 'fail' ? 'false' : { defer: result.logMessage };
}

const recipient: Verification = {
  forbidden: withoutRecipient,
  run: (options, run) =>
    then(run.services.verifier.recipient(run, options), (result): ConditionAnswer => {
      if (result.outcome === 'error') return { error: result.message };
      if (result.outcome === 'ok') return 'true';
      if (run.context.acl) run.context.acl.recipientVerifyFailure = result.failure;
      return refuse(run, result);
    }),
};

/** The envelope sender, or the address that is given. A bounce has no sender that could be wrong. */
const sender = (address: string | undefined): Verification => ({
  forbidden: [],
  run(options, run) {
    const subject = address ?? run.context.message?.sender ?? '';
    if (subject === '') return 'true';
    return then(run.services.verifier.sender(run, subject, options), (result): ConditionAnswer => {
      if (result.outcome === 'error') return { error: result.message };
      if (result.outcome === 'ok') return 'true';
      if (run.context.acl) run.context.acl.senderVerifyFailure = result.failure;
      if (result.first) {
        const { outcome, userMessage: message, logMessage } = result;
        run.senderProblem = { address: subject, outcome, message, logMessage };
      }
      if (result.outcome === 'defer') {
        const logMessage = 'Could not complete sender verify';
        return refuse(run, { ...result, userMessage: '', logMessage, smtpCode: false });
      }
      const text = 'Sender verify failed';
      return refuse(run, { ...result, userMessage: text, logMessage: text, smtpCode: false });
    });
  },
});

const helo: Verification = {
  forbidden: [],
  run: (_, run) => then(run.services.verifier.helo(run), (ok) => (ok ? 'true' : 'false')),
};

const reverseHostLookup: Verification = {
  forbidden: [],
  run(_, run) {
    const { connection } = run.context;
    if (connection === undefined || connection.hostAddress === '') return 'true';
    return then(run.context.services.findHostName(run.context), (): ConditionAnswer => {
      if (connection.hostName !== '') return 'true';
      const how = connection.hostLookupDeferred ? 'deferred' : 'failed';
      run.logMessage = `host lookup ${how} for reverse lookup check (failed to find host name from IP address)`;
      return connection.hostLookupDeferred ? { defer: run.logMessage } : 'false';
    });
  },
};

const headers = (what: HeaderQuestion): Verification => ({
  forbidden: withoutHeaders,
  run: (options, run) =>
    then(run.services.verifier.headers(run, what, options), (problem): ConditionAnswer => {
      if (problem === undefined || (problem.deferred && options.includes('defer_ok'))) return 'true';
      run.logMessage = problem.text;
      return problem.deferred ? { defer: problem.text } : 'false';
    }),
});

/** The client came over TLS and showed a certificate that is good (tls_verify_hosts, tls_try_verify_hosts). */
const certificate: Verification = {
  forbidden: [],
  run(_, run) {
    if (run.context.connection?.tls?.verified) return 'true';
    run.userMessage = 'no verified certificate';
    run.logMessage = run.userMessage;
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
  ['header_sender', headers('header_sender')],
  ['not_blind', headers('not_blind')],
  ['certificate', certificate],
]);

export const verify: TextCondition = {
  kind: 'condition',
  name: 'verify',
  doc: 'An address, a name or header lines are in order.',
  forbidden: [],
  test(text, run) {
    const [head = '', ...options] = text.split('/').map((part) => trim(part));
    const named = /^sender[ \t-\r]*=[ \t-\r]*(.+)$/.exec(head)?.[1];
    const verification = named === undefined ? verifications.get(head) : sender(named);
    if (verification === undefined) {
      return {
        error: `expected "sender[=address]", "recipient", "helo", "header_syntax", "header_sender", "header_names_ascii" or "reverse_host_lookup" at start of ACL condition "verify ${text}"`,
      };
    }
    if (verification.forbidden.includes(run.phase)) {
      return { error: `cannot verify ${head} in ACL for ${run.phase}` };
    }
    return verification.run(options, run);
  },
};
