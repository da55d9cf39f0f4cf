/** Main options about users of this host who submit mail (Exim spec 14.14). */

import { fixed, integer, template } from '../../options/kinds.ts';
import type { OptionTable } from '../../options/table.ts';

export const localUserHandling = {
  finduser_retries: integer('How often the search for a user or group is repeated when it finds nothing.', 0),
  gecos_name: template('The real name of a user, made from what gecos_pattern matched.'),
  gecos_pattern: fixed('A regular expression that picks the real name out of the comment field of the user list.'),
  max_username_length: integer('Longer user names are cut to this length before they are searched; 0 for no limit.', 0),
  unknown_login: template('The login name for a caller whose user id nobody knows.'),
  unknown_username: fixed('The real name that goes with unknown_login.'),
  uucp_from_pattern: fixed(
    'A regular expression for a line before the header lines that names the sender.',
    String.raw`^From\s+(\S+)\s+(?:[a-zA-Z]{3},?\s+)?(?:[a-zA-Z]{3}\s+\d?\d|\d?\d\s+[a-zA-Z]{3}\s+\d\d(?:\d\d)?)\s+\d\d?:\d\d?`,
  ),
  uucp_from_sender: template('The sender, made from what uucp_from_pattern matched.', '$1'),
} satisfies OptionTable;
