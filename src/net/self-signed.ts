/** Certificates that we make for ourselves, where the configuration names none: they encrypt, and prove nothing. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as clock from '../lib/clock.ts';

export interface Identity {
  /** PEM */
  readonly certificate: string;
  readonly key: string;
}

const day = 86_400_000;

function load(): typeof import('@peculiar/x509') {
  const require = createRequire(join(import.meta.dirname, 'any'));
  require('reflect-metadata');
  return require('@peculiar/x509') as typeof import('@peculiar/x509');
}

/** A fresh key and a certificate of it for this name, good for a day. */
export async function selfSigned(hostname: string): Promise<Identity> {
  const { X509CertificateGenerator, SubjectAlternativeNameExtension } = load();
  const { webcrypto } = process.getBuiltinModule('node:crypto');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = clock.now();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${hostname.replace(/[^A-Za-z0-9.-]/g, '')}`,
      notBefore: new Date(now - day),
      notAfter: new Date(now + day),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: hostname }])],
    },
    webcrypto as Parameters<typeof X509CertificateGenerator.createSelfSigned>[1],
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
  return { certificate: certificate.toString('pem'), key };
}
