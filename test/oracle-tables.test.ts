/** Random tables, compared with the real Exim (oracle/tables.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { tables } from './oracle/tables.ts';

test('random table files are built and searched as by the real Exim', { timeout: 300_000 }, () =>
  assertAlike(tables, 3, 1000),
);
