/** Options of the lmtp transport (Exim spec 28). */

import { flag, integer, template, time } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const lmtpOptions = {
  batch_id: template('Addresses for which this comes out the same are delivered together.'),
  batch_max: integer('How many addresses one delivery may be for.', 1),
  command: template('A command that speaks LMTP on its standard input and output.'),
  ignore_quota: flag('Asks the other side to overlook quotas, when it offers to.'),
  socket: template('A Unix socket where LMTP is spoken.'),
  timeout: time('How long the other side may take to answer.', 300),
} satisfies OptionTable;
