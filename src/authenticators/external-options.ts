/** Options of the external authenticator (Exim spec 41). */

import { template } from '../options/kinds.ts';
import type { OptionTable } from '../options/table.ts';

export const externalOptions = {
  client_send: template('The identity we ask to act as.'),
  server_param2: template('What $auth2 is set to before the condition is tested.'),
  server_param3: template('What $auth3 is set to before the condition is tested.'),
} satisfies OptionTable;
