/**
 * Whether the answer of an authority proves that a certificate still holds (OCSP, RFC 6960), as a server shows it with its
 * certificate (RFC 6066 §8): it is about this certificate, signed by its issuer or by whom that lets sign, and of now.
 */

import type { X509Certificate } from 'node:crypto';
import { crypto } from '../lib/crypto.ts';
import { type DerValue, derTime, derValues, objectIdentifier } from '../lib/der.ts';
import { lower } from '../lib/octets.ts';

const basicResponse = '1.3.6.1.5.5.7.48.1.1';
/** The extended usage of a certificate that may sign answers (RFC 6960 §4.2.2.2). */
const maySign = '1.3.6.1.5.5.7.3.9';

/** The authority has taken it back. */
export const revoked = 'certificate revoked';

const day = 86_400_000;
/** Milliseconds that an answer is good which does not say when the next one comes. */
const longestAge = 15 * day;
/** Milliseconds by which clocks may differ. */
const clockSkew = 300_000;

/** Octets of an answer that are looked at. */
const longest = 64 * 1024;

/** Certificates of an answer that are tried. */
const mostSigners = 5;

/** The hash functions that tell an issuer. */
const issuerHashes: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/** Signatures, and what they hash with; those with SHA-1 prove nothing any more. */
const signatures: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null],
]);

const tags = {
  version: 0xa0,
  signers: 0xa0,
  nextUpdate: 0xa0,
  good: 0x80,
  revoked: 0xa1,
} as const;

const within = (value: DerValue | undefined): DerValue[] => (value === undefined ? [] : derValues(value.content));

/** What is signed, with what, and the certificates that came with it. */
interface Answer {
  readonly signed: DerValue;
  readonly algorithm: string;
  readonly signature: Buffer;
  readonly signers: readonly DerValue[];
}

/** RFC 6960 §4.2.1; nothing when it is no answer, or one that tells why there is none. */
function readAnswer(octets: Buffer): Answer | undefined {
  if (octets.length > longest) return undefined;
  const [status, bytes] = within(derValues(octets)[0]);
  if (status?.content.length !== 1 || status.content[0] !== 0) return undefined;
  const [type, body] = within(within(bytes)[0]);
  if (type === undefined || body === undefined || objectIdentifier(type) !== basicResponse) return undefined;
  const [signed, algorithm, signature, more] = within(derValues(body.content)[0]);
  const [identifier] = within(algorithm);
  if (signed === undefined || identifier === undefined || signature === undefined) return undefined;
  const signers = more?.tag === tags.signers ? within(within(more)[0]) : [];
  // the first octet of a bit string tells how many bits of the last are not used
  return { signed, algorithm: objectIdentifier(identifier), signature: signature.content.subarray(1), signers };
}

function isSignedBy({ signed, algorithm, signature }: Answer, signer: X509Certificate): boolean {
  const hash = signatures.get(algorithm);
  if (hash === undefined) return false;
  try {
    return crypto().verify(hash, signed.whole, signer.publicKey, signature);
  } catch {
    // a key of another kind
    return false;
  }
}

function certificateOf({ whole }: DerValue): X509Certificate | undefined {
  try {
    return new (crypto().X509Certificate)(whole);
  } catch {
    return undefined;
  }
}

const isOfNow = ({ validFrom, validTo }: X509Certificate, now: number): boolean =>
  now >= Date.parse(validFrom) && now <= Date.parse(validTo);

/** Whether the issuer signed the answer, or one whom it lets sign. */
function isAuthentic(answer: Answer, issuer: X509Certificate, now: number): boolean {
  if (isSignedBy(answer, issuer)) return true;
  return answer.signers.slice(0, mostSigners).some((octets) => {
    const signer = certificateOf(octets);
    return (
      signer?.keyUsage?.includes(maySign) === true &&
      isOfNow(signer, now) &&
      signer.checkIssued(issuer) &&
      signer.verify(issuer.publicKey) &&
      isSignedBy(answer, signer)
    );
  });
}

/** Name of the subject and key of a certificate, as answers hash them. */
function subjectOf({ raw }: X509Certificate): { readonly name: Buffer; readonly key: Buffer } | undefined {
  const [tbs] = within(derValues(raw)[0]);
  const parts = within(tbs);
  const [, , , , name, keyInfo] = parts[0]?.tag === tags.version ? parts.slice(1) : parts;
  const [, key] = within(keyInfo);
  return name === undefined || key === undefined ? undefined : { name: name.whole, key: key.content.subarray(1) };
}

const serialOf = (number: string): string => lower(number).replace(/^0+(?=.)/, '');

/** Whether a part of an answer is about a certificate. */
function isAbout(id: DerValue | undefined, certificate: X509Certificate, issuer: X509Certificate): boolean {
  const [algorithm, nameHash, keyHash, serial] = within(id);
  const [identifier] = within(algorithm);
  const hash = identifier && issuerHashes.get(objectIdentifier(identifier));
  const subject = subjectOf(issuer);
  if (hash === undefined || subject === undefined || nameHash === undefined || keyHash === undefined) return false;
  const digest = (octets: Buffer): Buffer => crypto().createHash(hash).update(octets).digest();
  return (
    digest(subject.name).equals(nameHash.content) &&
    digest(subject.key).equals(keyHash.content) &&
    serial !== undefined &&
    serialOf(serial.content.toString('hex')) === serialOf(certificate.serialNumber)
  );
}

/** The parts of what is signed; version and responder stand in front of the time and the parts. */
function partsOf(signed: DerValue): DerValue[] {
  const values = derValues(signed.content);
  const isVersioned = values[0]?.tag === tags.version;
  return within(values[isVersioned ? 3 : 2]);
}

/** What a part says of its certificate at this time; nothing when it is good. */
function problemOf(part: DerValue, now: number): string | undefined {
  const [, status, thisUpdate, next] = derValues(part.content);
  const from = derTime(thisUpdate);
  const [nextUpdate] = next?.tag === tags.nextUpdate ? within(next) : [];
  const until = nextUpdate === undefined ? from + longestAge : derTime(nextUpdate);
  if (status?.tag === tags.revoked) return revoked;
  if (status?.tag !== tags.good) return 'the authority does not know the certificate';
  // also when a time is none
  if (!(from <= now + clockSkew && now <= until + clockSkew)) return 'the proof of the authority is not of this time';
  return undefined;
}

/** Why the answer does not prove that the certificate holds, which `issuer` has issued; nothing when it does. */
export function ocspProblem(
  octets: Buffer,
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
  now: number,
): string | undefined {
  if (issuer === undefined) return 'the authority of the certificate is not known';
  const answer = readAnswer(octets);
  if (answer === undefined) return 'the proof of the authority is none';
  if (!isAuthentic(answer, issuer, now)) return 'the proof is not signed by the authority';
  const part = partsOf(answer.signed).find((each) => isAbout(derValues(each.content)[0], certificate, issuer));
  return part === undefined ? 'the proof is about another certificate' : problemOf(part, now);
}
