/** Options of the spa authenticator (Exim spec 40). */

import { template } from '../options/kinds.ts';
import { type OptionTable, withoutEffect } from '../options/table.ts';

export const spaOptions = {
  client_domain: withoutEffect(template('The domain of the name we log in with.')),
  client_password: withoutEffect(template('The password we log in with.')),
  client_username: withoutEffect(template('The name we log in with.')),
  server_password: withoutEffect(template('The password that the client should have.')),
} satisfies OptionTable;
