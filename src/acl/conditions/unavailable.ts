/**
 * Conditions of features that are not in this version: MIME parts. They are read and kept to the ACL that the manual allows
 * them in, which never runs.
 */

import type { ConditionAnswer, Phase, TextCondition } from '../acl.ts';
import { everyPhase } from '../phases.ts';

const never = (name: string, doc: string, forbidden: readonly Phase[]): TextCondition => ({
  kind: 'condition',
  name,
  doc,
  forbidden,
  test: (): ConditionAnswer => 'false',
});

export const unavailableConditions: readonly TextCondition[] = [
  never('decode', 'Decodes a MIME part into a file.', everyPhase),
  never('mime_regex', 'A decoded MIME part matches one of these regular expressions.', everyPhase),
];
