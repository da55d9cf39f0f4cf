/** Main options of the embedded Perl interpreter (Exim spec 14.8, 12). */

import { fixed, flag } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const embeddedPerl = {
  perl_at_start: flag('Starts the Perl interpreter at once and not at its first use.'),
  perl_startup: fixed('Perl code that runs when the interpreter starts.'),
  perl_taintmode: flag('Switches on the taint checks of the Perl interpreter.'),
} satisfies OptionTable;
