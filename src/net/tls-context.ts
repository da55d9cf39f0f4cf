/**
 * What TLS works with: our certificate, whom we believe, and which ciphers may be used. Made once and kept until one of
 * the files changes: a renewed certificate is seen at the next connection, without a restart.
 */

import type { SecureContext } from 'node:tls';
import { errorText } from '../lib/errno.ts';
import { Cache } from '../lib/lru.ts';
import * as files from '../safe/files.ts';
import { type Clean, pathOf, reviewed } from '../safe/taint.ts';
import { groupParameters, parameterBits } from './dh-groups.ts';
import { selfSigned } from './self-signed.ts';
import { tlsLibrary } from './tls.ts';
import { cipherRules, secureOptions } from './tls-ciphers.ts';

export interface ContextSpec {
  /** Files with certificates and their keys, in pairs; or the name for which we make one ourselves. */
  readonly identity:
    | { readonly certificates: readonly Clean[]; readonly keys: readonly Clean[] }
    | { readonly selfSigned: string }
    | undefined;
  /** A file or directory, or those that the system believes; nothing when certificates do not matter. */
  readonly authorities: Clean | 'system' | undefined;
  readonly revoked: Clean | undefined;
  /** `tls_require_ciphers` */
  readonly ciphers: string;
  /** `openssl_options` */
  readonly options: string | undefined;
  /** `tls_dhparam`: a file, whose parameters count up to a size (`tls_dh_max_bits`), the name of a set, or none at all. */
  readonly dhParameters: { readonly file: Clean; readonly mostBits: number } | { readonly group: string } | 'none';
  /** Clients may take their session up again. */
  readonly givesTickets?: boolean | undefined;
  /** `tls_eccurve`, where it is no list of the library's own choice. */
  readonly curve: string | undefined;
}

const known = new Cache<string, SecureContext>(1000);
/** Milliseconds for which a certificate of our own is shown, before it runs out. */
const ownLifetime = 12 * 3_600_000;
/** Milliseconds for which the key of tickets is used. */
const ticketLifetime = 3_600_000;
const largestFile = 16 * 1024 * 1024;

function stampOf(path: Clean): string {
  const found = files.stat(path);
  return found === undefined ? '' : `${found.ino}.${found.mtimeMs}.${found.size}`;
}

function contentOf(what: string, path: Clean): Buffer {
  try {
    return files.read(path, largestFile);
  } catch (error) {
    throw new Error(`${what} ${path}: ${errorText(error)}`);
  }
}

/** The certificates of a file, or of all files of a directory. */
function authoritiesIn(place: Clean | 'system'): string | Buffer[] | string[] {
  if (place === 'system') return tlsLibrary().getCACertificates('system');
  if (files.stat(place)?.isDirectory() !== true) return [contentOf('tls_verify_certificates', place)];
  return [...files.list(place)]
    .filter((name) => !name.startsWith('.'))
    .map((name) => pathOf(place, reviewed(name, 'a name the directory itself holds')))
    .filter((path) => files.stat(path)?.isFile())
    .map((path) => contentOf('tls_verify_certificates', path));
}

async function identityOf({
  identity,
}: ContextSpec): Promise<{ cert?: (string | Buffer)[]; key?: (string | Buffer)[] }> {
  if (identity === undefined) return {};
  if ('selfSigned' in identity) {
    const { certificate, key } = await selfSigned(identity.selfSigned);
    return { cert: [certificate], key: [key] };
  }
  const keys = identity.keys.length === 0 ? identity.certificates : identity.keys;
  return {
    cert: identity.certificates.map((path) => contentOf('tls_certificate', path)),
    key: keys.map((path) => contentOf('tls_privatekey', path)),
  };
}

function dhRule(parameters: ContextSpec['dhParameters']): { dhparam?: string | Buffer } {
  if (parameters === 'none') return {};
  if ('group' in parameters) return { dhparam: groupParameters(parameters.group) };
  const content = contentOf('tls_dhparam', parameters.file);
  return parameterBits(content) > parameters.mostBits ? {} : { dhparam: content };
}

async function make(spec: ContextSpec): Promise<SecureContext> {
  const { authorities, revoked, ciphers, options, curve, dhParameters, givesTickets } = spec;
  return tlsLibrary().createSecureContext({
    ...(await identityOf(spec)),
    ...(authorities === undefined ? {} : { ca: authoritiesIn(authorities) }),
    ...(revoked === undefined ? {} : { crl: [contentOf('tls_crl', revoked)] }),
    ...cipherRules(ciphers),
    secureOptions: secureOptions(options, givesTickets),
    ...(curve === undefined ? {} : { ecdhCurve: curve }),
    ...dhRule(dhParameters),
  });
}

/** @throws Error when a file cannot be read, or holds no certificate or key that fits */
export async function secureContext(spec: ContextSpec, now: number): Promise<SecureContext> {
  const { identity, authorities, revoked, dhParameters } = spec;
  const isOwn = identity !== undefined && 'selfSigned' in identity;
  const own = identity === undefined || isOwn ? [] : [...identity.certificates, ...identity.keys];
  const others = authorities === undefined || authorities === 'system' ? [] : [authorities];
  const dh = typeof dhParameters === 'object' && 'file' in dhParameters ? [dhParameters.file] : [];
  const paths = [...own, ...others, ...dh, ...(revoked === undefined ? [] : [revoked])];
  const ages = [isOwn ? ownLifetime : 0, spec.givesTickets ? ticketLifetime : 0];
  const key = JSON.stringify([spec, ...ages.map((age) => age && Math.floor(now / age)), ...paths.map(stampOf)]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = await make(spec);
  known.set(key, made);
  return made;
}
