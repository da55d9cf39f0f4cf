/** `crypteq`: a password against its hash (Exim spec 11.7). */

import { errorText } from '../../lib/errno.ts';
import { passwordMatches } from '../../lib/password-hashes.ts';
import type { ConditionRow } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { stringsCondition } from './shapes.ts';

export const passwordConditions: readonly ConditionRow[] = [
  stringsCondition({
    name: 'crypteq',
    doc: 'the password has the given hash',
    count: 2,
    test: async ([password, stored]) => {
      const text = stored?.value ?? '';
      const matches = passwordMatches(password?.value ?? '', text);
      if (matches === undefined) return fail(`unknown encryption mechanism in "${text}"`);
      try {
        return await matches;
      } catch (error) {
        return fail(`crypteq cannot compare: ${errorText(error)}`);
      }
    },
  }),
];
