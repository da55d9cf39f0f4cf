/** Options of the gsasl authenticator (Exim spec 38). */

import { fixed, flag, template } from '../options/kinds.ts';
import { type OptionTable, withoutEffect } from '../options/table.ts';

export const gsaslOptions = {
  client_authz: withoutEffect(template('The identity we ask to act as.')),
  client_channelbinding: withoutEffect(flag('Binds our login to the TLS connection.')),
  client_password: withoutEffect(template('The password we log in with.')),
  client_spassword: withoutEffect(template('The password we log in with, already salted.')),
  client_username: withoutEffect(template('The name we log in with.')),
  server_channelbinding: withoutEffect(flag('Offers to bind a login to the TLS connection.')),
  server_hostname: withoutEffect(template('The name of this host for the library.', '$primary_hostname')),
  server_key: withoutEffect(template('The key of the server for a SCRAM login.')),
  server_mech: withoutEffect(fixed('The mechanism; that of public_name when not set.')),
  server_password: withoutEffect(template('The password that the client should have.')),
  server_realm: withoutEffect(template('The realm that the users belong to.')),
  server_scram_iter: withoutEffect(template('How many rounds a SCRAM password is hashed.', '4096')),
  server_scram_salt: withoutEffect(template('The salt of a SCRAM password.')),
  server_service: withoutEffect(fixed('The name of the service for the library.', 'smtp')),
  server_skey: withoutEffect(template('The stored key for a SCRAM login.')),
} satisfies OptionTable;
