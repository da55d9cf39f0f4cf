/** Main options of `tabella expire`. Exim has none: these are Tabella's own. */

import { expiryRules } from '../../options/expiry-rules.ts';
import type { OptionTable } from '../../options/table.ts';

export const housekeeping = {
  expire_rules: expiryRules(
    'Which files `tabella expire` removes, and when: for each a path with `*` and `**`, an age, and `ctime`, `empty` or `user=name`.',
  ),
} satisfies OptionTable;
