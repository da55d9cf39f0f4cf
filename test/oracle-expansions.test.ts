/** Random expansions, compared with the real Exim (oracle/expansions.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { expansions } from './oracle/expansions.ts';

test('random expansions come out as the real Exim expands them', { timeout: 300_000 }, () =>
  assertAlike(expansions, 8, 2000),
);
