/** All that is compared with the real Exim. */

import type { Subject } from './compare.ts';
import { expansions } from './expansions.ts';

export const subjects: readonly Subject[] = [expansions];
