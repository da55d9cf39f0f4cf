/** The authenticators that a configuration may name. Those without a function are read and shown, but neither offered to clients nor used with servers. */

import type { AuthenticatorDriver } from './authenticator.ts';
import { cramMd5 } from './cram-md5.ts';
import { cyrusSasl } from './cyrus-sasl.ts';
import { dovecot } from './dovecot.ts';
import { external } from './external.ts';
import { gsasl } from './gsasl.ts';
import { heimdalGssapi } from './heimdal-gssapi.ts';
import { plaintext } from './plaintext.ts';
import { spa } from './spa.ts';
import { tls } from './tls.ts';

export const authenticators: readonly AuthenticatorDriver[] = [
  cramMd5,
  cyrusSasl,
  dovecot,
  external,
  gsasl,
  heimdalGssapi,
  plaintext,
  spa,
  tls,
];
