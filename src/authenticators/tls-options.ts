/** Options of the tls authenticator (Exim spec 42). */

import type { Template } from '../expand/expand.ts';
import { template } from '../options/kinds.ts';
import { dependsOn, type Instance, type OptionTable } from '../options/table.ts';

/** The value of the other of two names for the same thing. */
const sameAs =
  (other: string) =>
  ({ values }: Instance): string | undefined =>
    (values[other] as Template | undefined)?.source;

export const tlsOptions = {
  server_param: dependsOn(template('Another name for server_param1.'), 'server_param1', sameAs('server_param1')),
  server_param1: dependsOn(
    template('What $auth1 is set to before the condition is tested.'),
    'server_param',
    sameAs('server_param'),
  ),
  server_param2: template('What $auth2 is set to before the condition is tested.'),
  server_param3: template('What $auth3 is set to before the condition is tested.'),
} satisfies OptionTable;
