/** Options of the tls authenticator (Exim spec 42). */

import { template } from '../options/kinds.ts';
import { type OptionTable, withoutEffect } from '../options/table.ts';

export const tlsOptions = {
  server_param: withoutEffect(template('Another name for server_param1.')),
  server_param1: withoutEffect(template('What $auth1 is set to before the condition is tested.')),
  server_param2: withoutEffect(template('What $auth2 is set to before the condition is tested.')),
  server_param3: withoutEffect(template('What $auth3 is set to before the condition is tested.')),
} satisfies OptionTable;
