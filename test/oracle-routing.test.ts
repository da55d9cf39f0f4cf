/** Random routing, compared with the real Exim (oracle/routing.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { routing } from './oracle/routing.ts';

test('random addresses are routed as by the real Exim', { timeout: 300_000 }, () => assertAlike(routing, 4, 24));
