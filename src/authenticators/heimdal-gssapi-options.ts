/** Options of the heimdal_gssapi authenticator (Exim spec 39). */

import { template } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const heimdalGssapiOptions = {
  server_hostname: template('The name of this host in the key table.', '$primary_hostname'),
  server_keytab: template('The file with the keys of the service.'),
  server_service: template('The name of the service in the key table.', 'smtp'),
} satisfies OptionTable;
