/** `condition`: a text that must say yes or no (Exim spec 44.25). */

import { lower } from '../../lib/octets.ts';
import type { TextCondition } from '../acl.ts';

export const condition: TextCondition = {
  kind: 'condition',
  name: 'condition',
  doc: 'The text says yes: a number other than zero, yes or true; no, false, 0 and nothing say no.',
  forbidden: [],
  test(text) {
    const word = lower(text);
    if (/^-?\d+$/.test(word)) return Number(word) === 0 ? 'false' : 'true';
    if (word === 'yes' || word === 'true') return 'true';
    if (word === 'no' || word === 'false' || word === '') return 'false';
    return { defer: `invalid "condition" value "${text}"` };
  },
};
