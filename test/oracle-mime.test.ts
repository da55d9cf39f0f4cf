/** Random messages with MIME parts, compared with the real Exim (oracle/mime.ts). */

import { test } from 'node:test';
import { assertAlike } from './oracle/compare.ts';
import { mime } from './oracle/mime.ts';

test('random MIME parts are what the real Exim takes them for', { timeout: 300_000 }, () => assertAlike(mime, 5, 300));
