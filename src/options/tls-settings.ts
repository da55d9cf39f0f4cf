/**
 * The options about certificates and ciphers that the main section and the smtp transport have both, expanded to what
 * TLS works with (Exim spec 43.6, 43.10).
 */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { errorText } from '../lib/errno.ts';
import { splitList } from '../lib/list-text.ts';
import { splitText } from '../lists/split-text.ts';
import { groupNamed } from '../net/dh-groups.ts';
import type { Alpn } from '../net/tls.ts';
import type { ContextSpec } from '../net/tls-context.ts';
import * as files from '../safe/files.ts';
import { type Clean, clean, reviewed } from '../safe/taint.ts';

export interface TlsOptions {
  readonly tls_certificate: Template | undefined;
  readonly tls_privatekey: Template | undefined;
  readonly tls_crl: Template | undefined;
  readonly tls_verify_certificates: Template | undefined;
  readonly tls_require_ciphers: Template | undefined;
}

/** An option could not be expanded, or names a file that it must not. */
export class BadSetting extends Error {}

/** The value of an option; empty when it is not set or forced to fail. @throws BadSetting */
export async function settingOf(name: string, option: Template | undefined, context: Context): Promise<string> {
  const expansion = await option?.expand(context);
  if (expansion === undefined || expansion.ok) return expansion?.text.value ?? '';
  if (expansion.kind === 'forced') return '';
  throw new BadSetting(`failed to expand "${option?.source}" (${name}): ${expansion.message}`);
}

/** The files that an option names. @throws BadSetting, also for a name that the other side had a hand in */
async function filesOf(name: string, option: Template | undefined, context: Context): Promise<Clean[]> {
  const expansion = await option?.expand(context);
  if (expansion === undefined || (!expansion.ok && expansion.kind === 'forced')) return [];
  if (!expansion.ok) throw new BadSetting(`failed to expand "${option?.source}" (${name}): ${expansion.message}`);
  return splitText(expansion.text)
    .filter(({ value }) => value !== '')
    .map((item) => {
      const path = clean(item);
      if (path !== undefined) return path;
      throw new BadSetting(`Tainted name "${item.value}" for ${name}: use what a lookup found in its place`);
    });
}

/** `tls_dhparam`: a file, the name of a set, `none`, or nothing, for a set of at most `mostBits`. @throws BadSetting */
export async function dhParameters(
  option: Template | undefined,
  mostBits: number,
  context: Context,
): Promise<ContextSpec['dhParameters']> {
  const [place] = await filesOf('tls_dhparam', option, context);
  if (place === 'none') return 'none';
  if (place?.startsWith('/')) return { file: place, mostBits };
  const group = groupNamed(place ?? '', mostBits);
  if (group === undefined) throw new BadSetting(`(No standard prime named): ${place}`);
  return { group };
}

/** The longest proof that is read. */
const longestProof = 64 * 1024;

/**
 * The proof of `tls_ocsp_file` that the certificate still holds. Of a list only the first file counts: it is for the
 * first certificate. @throws BadSetting
 */
export async function ocspProof(option: Template | undefined, context: Context): Promise<Buffer | undefined> {
  const [place] = await filesOf('tls_ocsp_file', option, context);
  if (place === undefined) return undefined;
  const [, format = 'DER'] = /^(DER|PEM) /.exec(place) ?? [];
  const path = reviewed(place.replace(/^(?:DER|PEM) +/, ''), 'the rest of a clean text');
  let octets: Buffer;
  try {
    octets = files.read(path, longestProof);
  } catch (error) {
    throw new BadSetting(`tls_ocsp_file ${path}: ${errorText(error)}`);
  }
  if (format === 'DER') return octets;
  const [, text = ''] = /-----BEGIN OCSP RESPONSE-----([^-]*)-----END/.exec(octets.toString('latin1')) ?? [];
  return Buffer.from(text, 'base64');
}

/** What is asked about application protocols; nothing when the option is empty and nobody must name one. @throws BadSetting */
export async function alpnOf(
  option: Template | undefined,
  isRequired: boolean,
  context: Context,
): Promise<Alpn | undefined> {
  const names = splitList(await settingOf('tls_alpn', option, context)).items.filter((name) => name !== '');
  return names.length === 0 && !isRequired ? undefined : { names, isRequired };
}

/** Certificates of this side, and whom it believes when it `verifies` those of the other. @throws BadSetting */
export async function tlsMaterial(
  options: TlsOptions,
  verifies: boolean,
  context: Context,
): Promise<Omit<ContextSpec, 'options' | 'curve' | 'dhParameters'>> {
  const certificates = await filesOf('tls_certificate', options.tls_certificate, context);
  const believed = verifies ? options.tls_verify_certificates : undefined;
  const isOfSystem = /^system(?:,|$)/.test(await settingOf('tls_verify_certificates', believed, context));
  const [place] = isOfSystem ? [] : await filesOf('tls_verify_certificates', believed, context);
  const [revoked] = await filesOf('tls_crl', options.tls_crl, context);
  return {
    identity:
      certificates.length === 0
        ? undefined
        : { certificates, keys: await filesOf('tls_privatekey', options.tls_privatekey, context) },
    authorities: isOfSystem ? 'system' : place,
    revoked,
    ciphers: await settingOf('tls_require_ciphers', options.tls_require_ciphers, context),
  };
}
