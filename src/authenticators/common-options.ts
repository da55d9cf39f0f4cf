/** Options that every authenticator has (Exim spec 33). */

import { fixed, template } from '../options/kinds.ts';
import { dependsOn, type OptionsOf, type OptionTable } from '../options/table.ts';

export const authenticatorCommonOptions = {
  client_condition: template('Whether it is tried with this host.'),
  client_set_id: template('The id that is logged for a delivery.'),
  driver: fixed('Which kind of authenticator it is.'),
  public_name: dependsOn(fixed('The name of the mechanism in the protocol.'), 'name', ({ name }) => name),
  server_advertise_condition: template('Whether the mechanism is offered to this client.'),
  server_condition: template('Whether the client has proved who it is.'),
  server_debug_print: template('A text for the debugging output when a client uses it.'),
  server_mail_auth_condition: template('Whether the AUTH= sender of the client is believed.'),
  server_set_id: template('The id of the client, kept as $authenticated_id.'),
} satisfies OptionTable;

export type AuthenticatorCommonOptions = OptionsOf<typeof authenticatorCommonOptions>;
