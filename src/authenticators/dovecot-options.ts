/** Options of the dovecot authenticator (Exim spec 37). */

import { fixed } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const dovecotOptions = {
  server_socket: fixed('The socket of the Dovecot authentication service.'),
} satisfies OptionTable;
