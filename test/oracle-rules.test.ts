/** Random rules, compared with the real Exim (oracle/rules.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { rules } from './oracle/rules.ts';

test('random rewriting and retry rules do what they do in the real Exim', { timeout: 300_000 }, () =>
  assertAlike(rules, 3, 50),
);
