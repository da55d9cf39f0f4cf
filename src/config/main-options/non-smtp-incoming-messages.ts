/** Main options about messages from programs on this host (Exim spec 14.16). */

import { flag, time } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const nonSmtpIncomingMessages = {
  drop_cr: flag('Accepted for old configurations; line ends are always made the same.'),
  receive_timeout: time('How long the program may take to hand over a message; 0s for ever.', 0),
} satisfies OptionTable;
