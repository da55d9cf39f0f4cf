/** The authenticators that a configuration may name. They are read and shown; this version does not offer AUTH. */

import type { AuthenticatorDriver } from './authenticator.ts';
import { cramMd5Options } from './cram-md5-options.ts';
import { cyrusSaslOptions } from './cyrus-sasl-options.ts';
import { dovecotOptions } from './dovecot-options.ts';
import { externalOptions } from './external-options.ts';
import { gsaslOptions } from './gsasl-options.ts';
import { heimdalGssapiOptions } from './heimdal-gssapi-options.ts';
import { plaintextOptions } from './plaintext-options.ts';
import { spaOptions } from './spa-options.ts';
import { tlsOptions } from './tls-options.ts';

export const authenticators: readonly AuthenticatorDriver[] = [
  { name: 'cram_md5', summary: 'challenge and response (RFC 2195)', options: cramMd5Options },
  { name: 'cyrus_sasl', summary: 'the Cyrus SASL library', options: cyrusSaslOptions },
  { name: 'dovecot', summary: 'a Dovecot authentication service', options: dovecotOptions },
  { name: 'external', summary: 'who the TLS certificate says (RFC 4422)', options: externalOptions },
  { name: 'gsasl', summary: 'the GNU SASL library', options: gsaslOptions },
  { name: 'heimdal_gssapi', summary: 'Kerberos', options: heimdalGssapiOptions },
  { name: 'plaintext', summary: 'PLAIN and LOGIN', options: plaintextOptions },
  { name: 'spa', summary: 'NTLM', options: spaOptions },
  { name: 'tls', summary: 'the TLS certificate, without AUTH', options: tlsOptions },
];
