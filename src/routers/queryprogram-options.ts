/** Options of the queryprogram router (Exim spec 21). */

import { fixed, group, template, time, user } from '../options/kinds.ts';
import { groupOfUser } from '../options/rare-kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const queryprogramOptions = {
  command: template('The command that says what to do with an address.'),
  command_group: groupOfUser('command_user', group('The group the command runs as; that of its user when not set.')),
  command_user: user('The user the command runs as.'),
  current_directory: fixed('The directory the command runs in.', '/'),
  timeout: time('How long the command may take.', 3600),
} satisfies OptionTable;
