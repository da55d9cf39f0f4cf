/** Main options about messages whose delivery was stopped (Exim spec 14.5). */

import { fixed, flag, time } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const frozenMessages = {
  auto_thaw: time('How long after freezing a message is tried again; 0s for never.', 0),
  freeze_tell: fixed(
    'Addresses, with commas between them, that are told when a message other than a bounce is frozen.',
  ),
  move_frozen_messages: flag('Moves frozen messages out of the queue into a directory of their own.'),
  timeout_frozen_after: time('How long a message may stay frozen before it is given up; 0s for ever.', 0),
} satisfies OptionTable;
