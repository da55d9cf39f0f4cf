/** Random options, compared with the real Exim (oracle/options.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { options } from './oracle/options.ts';

test('random options are read, refused and shown as by the real Exim', { timeout: 300_000 }, () =>
  assertAlike(options, 2, 30),
);
