/** Options of the cram_md5 authenticator (Exim spec 35). */

import { template } from '../options/kinds.ts';
import { dependsOn, type OptionTable } from '../options/table.ts';

export const cramMd5Options = {
  client_name: dependsOn(
    template('The name we log in with; that of this host when not set.'),
    'client_secret',
    ({ values, primaryHostname }) => (values['client_secret'] === undefined ? undefined : primaryHostname),
  ),
  client_secret: template('The password we log in with.'),
  server_secret: template('The password that the client should have.'),
} satisfies OptionTable;
