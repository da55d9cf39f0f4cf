/** All that is compared with the real Exim. */

import type { Subject } from './compare.ts';
import { expansions } from './expansions.ts';
import { lists } from './lists.ts';
import { tables } from './tables.ts';

export const subjects: readonly Subject[] = [expansions, lists, tables];
