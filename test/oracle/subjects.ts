/** All that is compared with the real Exim. */

import { acls } from './acls.ts';
import type { Subject } from './compare.ts';
import { expansions } from './expansions.ts';
import { lists } from './lists.ts';
import { mime } from './mime.ts';
import { options } from './options.ts';
import { routing } from './routing.ts';
import { rules } from './rules.ts';
import { tables } from './tables.ts';

export const subjects: readonly Subject[] = [acls, expansions, lists, mime, tables, options, rules, routing];
