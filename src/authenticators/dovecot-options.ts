/** Options of the dovecot authenticator (Exim spec 37). */

import { fixed } from '../options/kinds.ts';
import { type OptionTable, withoutEffect } from '../options/table.ts';

export const dovecotOptions = {
  server_socket: withoutEffect(fixed('The socket of the Dovecot authentication service.')),
} satisfies OptionTable;
