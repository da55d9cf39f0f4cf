/** Options of the gsasl authenticator (Exim spec 38). */

import { fixed, flag, template } from '../options/kinds.ts';
import { neverEffective, type OptionTable } from '../options/table.ts';

export const gsaslOptions = {
  client_authz: template('The identity we ask to act as.'),
  client_channelbinding: flag('Binds our login to the TLS connection, with mechanisms in -PLUS.'),
  client_password: template('The password we log in with.'),
  client_spassword: template('The password we log in with, already salted.'),
  client_username: template('The name we log in with.'),
  server_channelbinding: flag('Binds a login to the TLS connection, with mechanisms in -PLUS.'),
  server_hostname: template('The name of this host for the library.', '$primary_hostname'),
  server_key: template('The key of the server for a SCRAM login.'),
  server_mech: fixed('The mechanism; that of public_name when not set.'),
  server_password: template('The password that the client should have.'),
  server_realm: template('The realm that the users belong to.'),
  server_scram_iter: template('How many rounds a SCRAM password is hashed.', '4096'),
  server_scram_salt: template('The salt of a SCRAM password.'),
  server_service: neverEffective(
    fixed('The name of the service for the library.', 'smtp'),
    'only mechanisms that are not here send the name of a service',
  ),
  server_skey: template('The stored key for a SCRAM login.'),
} satisfies OptionTable;
