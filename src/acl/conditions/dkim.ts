/** `dkim_signers` and `dkim_status`, for the ACL that is run for each signature (Exim spec 58.3). */

import type { DkimFacts } from '../../expand/content-facts.ts';
import type { TextCondition } from '../acl.ts';
import { withoutDkim } from '../phases.ts';
import { inWords } from './lists.ts';

const asked = (name: string, doc: string, subject: (facts: DkimFacts) => string): TextCondition => ({
  kind: 'condition',
  name,
  doc,
  forbidden: withoutDkim,
  test(text, { context }) {
    const facts = context.message?.dkim;
    return facts !== undefined && inWords(text, subject(facts)) ? 'true' : 'false';
  },
});

export const dkimConditions: readonly TextCondition[] = [
  asked('dkim_signers', 'The domain or identity that the ACL is run for is one of these.', ({ signer }) => signer),
  asked('dkim_status', 'Its signature has one of these states.', ({ status }) => status),
];
