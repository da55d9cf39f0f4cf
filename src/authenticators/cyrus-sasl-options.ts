/** Options of the cyrus_sasl authenticator (Exim spec 36). */

import { fixed, template } from '../options/kinds.ts';
import { type OptionTable, withoutEffect } from '../options/table.ts';

export const cyrusSaslOptions = {
  server_hostname: withoutEffect(template('The name of this host for the library.', '$primary_hostname')),
  server_mech: withoutEffect(fixed('The mechanism; that of public_name when not set.')),
  server_realm: withoutEffect(template('The realm that the users belong to.')),
  server_service: withoutEffect(fixed('The name of the service for the library.', 'smtp')),
} satisfies OptionTable;
