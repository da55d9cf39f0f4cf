/**
 * The fields of a certificate that `${certextract…}` shows (RFC 5280), as Exim with GnuTLS writes them. Byte strings;
 * what a certificate does not have is not there.
 */

import { type DerValue, derTime, derValues, objectIdentifier } from '../lib/der.ts';

export interface NamePart {
  /** `CN`, or an object identifier where there is no short name. */
  readonly type: string;
  readonly value: string;
}

export type AlternativeKind = 'DNS' | 'MAIL' | 'URI';

export interface CertificateFields {
  readonly version: number;
  readonly serialNumber: string;
  readonly subject: readonly NamePart[];
  readonly issuer: readonly NamePart[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly signatureAlgorithm: string;
  /** Octets in hexadecimal, with blanks between. */
  readonly signature: string;
  readonly alternativeNames: readonly { readonly kind: AlternativeKind; readonly value: string }[];
  readonly ocspUris: readonly string[];
  readonly crlUris: readonly string[];
}

const types: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'sn'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.42', 'givenName'],
  ['1.2.840.113549.1.9.1', 'EMAIL'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);

const algorithms: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.5', 'RSA-SHA1'],
  ['1.2.840.113549.1.1.10', 'RSA-PSS'],
  ['1.2.840.113549.1.1.11', 'RSA-SHA256'],
  ['1.2.840.113549.1.1.12', 'RSA-SHA384'],
  ['1.2.840.113549.1.1.13', 'RSA-SHA512'],
  ['1.2.840.10045.4.3.2', 'ECDSA-SHA256'],
  ['1.2.840.10045.4.3.3', 'ECDSA-SHA384'],
  ['1.2.840.10045.4.3.4', 'ECDSA-SHA512'],
  ['1.3.101.112', 'EdDSA-Ed25519'],
]);

const alternativeTags: ReadonlyMap<number, AlternativeKind> = new Map<number, AlternativeKind>([
  [0x81, 'MAIL'],
  [0x82, 'DNS'],
  [0x86, 'URI'],
]);

const uriTag = 0x86;
const bmpString = 0x1e;
const version0 = 0xa0;
const extensionsTag = 0xa3;

/** The octets of a certificate in PEM; nothing for other text. */
export function certificateOctets(pem: string): Buffer | undefined {
  const [, body] = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n$/.exec(pem) ?? [];
  return body === undefined ? undefined : Buffer.from(body, 'base64');
}

function textOf({ tag, content }: DerValue): string {
  // a string of 16-bit characters is written as UTF-8, as others are already
  if (tag !== bmpString) return content.toString('latin1');
  const swapped = Buffer.from(content.subarray(0, content.length & ~1)).swap16();
  return Buffer.from(swapped.toString('utf16le')).toString('latin1');
}

function nameOf(name: DerValue): NamePart[] {
  return derValues(name.content)
    .flatMap((set) => derValues(set.content))
    .flatMap((part) => {
      const [type, value] = derValues(part.content);
      if (type === undefined || value === undefined) return [];
      const identifier = objectIdentifier(type);
      return [{ type: types.get(identifier) ?? identifier, value: textOf(value) }];
    });
}

/** RFC 4514 §2.4. */
function escaped(value: string): string {
  return value
    .replace(/[,+"\\<>;]/g, '\\$&')
    .replace(/^[# ]/, '\\$&')
    .replace(/ $/, '\\ ');
}

/** `CN=…,O=…`: a name in the order in which it stands. */
export function nameText(parts: readonly NamePart[]): string {
  return parts.map(({ type, value }) => `${type}=${escaped(value)}`).join(',');
}

/** Extensions by their identifier: what stands within. */
function extensionsOf(tbs: readonly DerValue[]): ReadonlyMap<string, DerValue[]> {
  const list = tbs.find(({ tag }) => tag === extensionsTag);
  const found = new Map<string, DerValue[]>();
  for (const extension of list === undefined ? [] : derValues(derValues(list.content)[0]?.content ?? Buffer.alloc(0))) {
    const parts = derValues(extension.content);
    const [identifier, value] = [parts[0], parts.at(-1)];
    const outer = value === undefined ? undefined : derValues(value.content)[0];
    if (identifier !== undefined && outer !== undefined) {
      found.set(objectIdentifier(identifier), derValues(outer.content));
    }
  }
  return found;
}

/** All URIs of the points where revoked certificates are listed: they lie three levels deep. */
function crlUris(points: readonly DerValue[]): string[] {
  return points
    .flatMap((point) => derValues(point.content))
    .filter(({ tag }) => tag === version0)
    .flatMap((place) => derValues(place.content))
    .filter(({ tag }) => tag === version0)
    .flatMap((names) => derValues(names.content))
    .filter(({ tag }) => tag === uriTag)
    .map(textOf);
}

const ocspMethod = '1.3.6.1.5.5.7.48.1';

function ocspUris(descriptions: readonly DerValue[]): string[] {
  return descriptions.flatMap((description) => {
    const [method, place] = derValues(description.content);
    const isOcsp = method !== undefined && objectIdentifier(method) === ocspMethod;
    return isOcsp && place?.tag === uriTag ? [textOf(place)] : [];
  });
}

/** The fields; nothing when the octets are no certificate. */
export function certificateFields(octets: Buffer): CertificateFields | undefined {
  const [whole] = derValues(octets);
  const [tbs, algorithm, signature] = derValues(whole?.content ?? Buffer.alloc(0));
  if (tbs === undefined || algorithm === undefined || signature === undefined) return undefined;
  const parts = derValues(tbs.content);
  const hasVersion = parts[0]?.tag === version0;
  const [serial, , issuer, validity, subject] = hasVersion ? parts.slice(1) : parts;
  if (serial === undefined || issuer === undefined || validity === undefined || subject === undefined) return undefined;
  const [notBefore, notAfter] = derValues(validity.content);
  const identifier = derValues(algorithm.content)[0];
  const algorithmName = identifier === undefined ? '' : objectIdentifier(identifier);
  const extensions = extensionsOf(parts);
  const versionNumber = hasVersion ? (derValues(parts[0]?.content ?? Buffer.alloc(0))[0]?.content[0] ?? 0) + 1 : 1;
  return {
    version: versionNumber,
    serialNumber: serial.content
      .toString('hex')
      .replace(/^(?:00)+(?=.)/, '')
      .replace(/^0(?=.)/, ''),
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    notBefore: derTime(notBefore),
    notAfter: derTime(notAfter),
    signatureAlgorithm: algorithms.get(algorithmName) ?? algorithmName,
    // the first octet of a bit string tells how many bits of the last are not used
    signature: signature.content
      .subarray(1)
      .toString('hex')
      .replace(/..(?=.)/g, '$& '),
    alternativeNames: (extensions.get('2.5.29.17') ?? []).flatMap((name) => {
      const kind = alternativeTags.get(name.tag);
      return kind === undefined ? [] : [{ kind, value: textOf(name) }];
    }),
    ocspUris: ocspUris(extensions.get('1.3.6.1.5.5.7.1.1') ?? []),
    crlUris: crlUris(extensions.get('2.5.29.31') ?? []),
  };
}
