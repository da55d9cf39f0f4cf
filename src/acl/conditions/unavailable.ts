/**
 * Conditions of features that are not in this version: SPF, DKIM, DMARC. They are read and kept to the ACLs
 * that the manual allows them in. The ACL for DKIM signatures never runs; in the others, such a
 * condition is false, as for a message of which nothing was found out.
 */

import type { ConditionAnswer, Phase, TextCondition } from '../acl.ts';
import { everyPhase, withoutHeaders } from '../phases.ts';

const never = (name: string, doc: string, forbidden: readonly Phase[]): TextCondition => ({
  kind: 'condition',
  name,
  doc,
  forbidden,
  test: (): ConditionAnswer => 'false',
});

const withoutSession: readonly Phase[] = [
  ...(['connection', 'EHLO or HELO', 'AUTH', 'MAILAUTH', 'STARTTLS', 'ETRN', 'EXPN', 'VRFY'] as const),
  ...(['QUIT', 'notquit', 'non-SMTP', 'non-SMTP-start'] as const),
];

export const unavailableConditions: readonly TextCondition[] = [
  never('dkim_signers', 'The signer is one of these.', everyPhase),
  never('dkim_status', 'The DKIM signature has one of these states.', everyPhase),
  never('dmarc_status', 'The DMARC check came to one of these results.', withoutHeaders),
  never('spf', 'The SPF check came to one of these results.', withoutSession),
  never('spf_guess', 'The SPF check with a guessed record came to one of these results.', withoutSession),
];
