/** Random lists, compared with the real Exim (oracle/lists.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { lists } from './oracle/lists.ts';

test('random lists match as the real Exim matches them', { timeout: 300_000 }, () => assertAlike(lists, 5, 1800));
