/** Main options of the embedded Perl interpreter (Exim spec 14.8, 12). */

import { fixed, flag } from '../../options/kinds.ts';
import { type OptionTable, withoutEffect } from '../../options/table.ts';

export const embeddedPerl = {
  perl_at_start: withoutEffect(flag('Starts the Perl interpreter at once and not at its first use.')),
  perl_startup: withoutEffect(fixed('Perl code that runs when the interpreter starts.')),
  perl_taintmode: withoutEffect(flag('Switches on the taint checks of the Perl interpreter.')),
} satisfies OptionTable;
