/** Options of the cyrus_sasl authenticator (Exim spec 36). */

import { fixed, template } from '../options/kinds.ts';
import { neverEffective, type OptionTable } from '../options/table.ts';

export const cyrusSaslOptions = {
  server_hostname: neverEffective(
    template('The name of this host for the library.', '$primary_hostname'),
    'the mechanisms that saslauthd can examine name no host',
  ),
  server_mech: fixed('The mechanism; that of public_name when not set.'),
  server_realm: template('The realm that the users belong to.'),
  server_service: fixed('The name of the service for the library.', 'smtp'),
} satisfies OptionTable;
