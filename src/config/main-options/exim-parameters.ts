/** Main options that say who and where the server is (Exim spec 14.2). They have no standard value in the table. */

import { fixed, flag, group, template, user } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const eximParameters = {
  exim_group: group('The group the server runs as when it needs no special rights.'),
  exim_path: fixed('Where the program lies, for starting itself again.'),
  exim_user: user('The user the server runs as when it needs no special rights.'),
  primary_hostname: fixed('The full name of this host, for greetings, message ids and everything derived from it.'),
  split_spool_directory: flag('Spreads the messages of the queue over 62 subdirectories.'),
  spool_directory: template('The directory with the queue, the hints and the message logs.'),
} satisfies OptionTable;
