/** The gsasl authenticator: the mechanisms that the GNU SASL library is used for, without it (Exim spec 38). */

import { upper } from '../lib/octets.ts';
import { defineAuthenticator } from './authenticator.ts';
import { gsaslLogIn } from './gsasl-client.ts';
import { gsaslOptions } from './gsasl-options.ts';
import { gsaslExamine } from './gsasl-server.ts';

export const gsasl = defineAuthenticator({
  name: 'gsasl',
  summary: 'SCRAM, and other mechanisms of SASL',
  options: gsaslOptions,
  make(options, { public_name, server_condition }) {
    const mechanism = upper(options.server_mech ?? public_name ?? '');
    return {
      examine: gsaslExamine(mechanism, {
        binds: options.server_channelbinding,
        hostname: options.server_hostname,
        realm: options.server_realm,
        password: options.server_password,
        key: options.server_key,
        storedKey: options.server_skey,
        salt: options.server_scram_salt,
        rounds: options.server_scram_iter,
        condition: server_condition,
      }),
      logIn: gsaslLogIn(mechanism, options.client_channelbinding, {
        username: options.client_username,
        password: options.client_password,
        saltedPassword: options.client_spassword,
        authorization: options.client_authz,
      }),
    };
  },
});
