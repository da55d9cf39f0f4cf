/** The tls authenticator: the certificate of the client says who it is, without AUTH (Exim spec 42). */

import { defineAuthenticator } from './authenticator.ts';
import { decideByParameters } from './expanding.ts';
import { tlsOptions } from './tls-options.ts';

export const tls = defineAuthenticator({
  name: 'tls',
  summary: 'the TLS certificate, without AUTH',
  options: tlsOptions,
  make: ({ server_param, server_param1 = server_param, server_param2, server_param3 }, { server_condition }) => ({
    isImplicit: true,
    examine:
      server_param1 === undefined
        ? undefined
        : (_, context) =>
            decideByParameters([], [server_param1, server_param2, server_param3], server_condition, context),
  }),
});
