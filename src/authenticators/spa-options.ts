/** Options of the spa authenticator (Exim spec 40). */

import { template } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const spaOptions = {
  client_domain: template('The domain of the name we log in with.'),
  client_password: template('The password we log in with.'),
  client_username: template('The name we log in with.'),
  server_password: template('The password that the client should have.'),
} satisfies OptionTable;
