/**
 * Conditions of features that are not in this version: MIME parts, DMARC. They are read and kept to the ACLs that
 * the manual allows them in. The ACL for MIME parts never runs; in the others, such a condition is false, as for a message
 * of which nothing was found out.
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

export const unavailableConditions: readonly TextCondition[] = [
  never('decode', 'Decodes a MIME part into a file.', everyPhase),
  never('dmarc_status', 'The DMARC check came to one of these results.', withoutHeaders),
  never('mime_regex', 'A decoded MIME part matches one of these regular expressions.', everyPhase),
];
