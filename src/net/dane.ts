/**
 * Whether the DNS vouches for the certificate of a server (RFC 6698, RFC 7671, RFC 7672 §3; Exim spec 43.18): its TLSA
 * records name the certificate or its key, or those of an authority in the chain that the server shows.
 */

import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { crypto } from '../lib/crypto.ts';
import type { CertificateAssociation } from './dns-records.ts';

/** The usages of records that count for mail (RFC 7672 §3.1). */
const trustAnchor = 2;
const endEntity = 3;

/** Certificates of a chain that are looked at. */
const longestChain = 10;

/** Octets of a certificate by the selector of a record; nothing for a selector that is none. */
const selected: readonly ((certificate: X509Certificate) => Buffer)[] = [
  ({ raw }) => raw,
  ({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }),
];

/** What is compared with the data of a record, by its matching type. */
const matching: readonly ((octets: Buffer) => Buffer)[] = [
  (octets) => octets,
  (octets) => crypto().createHash('sha256').update(octets).digest(),
  (octets) => crypto().createHash('sha512').update(octets).digest(),
];

/** Whether a record is of a kind that can be checked; the others are as if they were not there. */
export function isUsable({ usage, selector, matchingType }: CertificateAssociation): boolean {
  const isForMail = usage === trustAnchor || usage === endEntity;
  return isForMail && selected[selector] !== undefined && matching[matchingType] !== undefined;
}

function matches(certificate: X509Certificate, { selector, matchingType, data }: CertificateAssociation): boolean {
  const octets = selected[selector]?.(certificate);
  const compared = octets === undefined ? undefined : matching[matchingType]?.(octets);
  return compared?.equals(data) === true;
}

/**
 * Why none of the records vouches for the chain, whose first certificate is the server's; nothing when one does.
 * `nameProblem` says what is wrong with the name in that certificate: only an authority must be shown a good one.
 */
export function daneProblem(
  chain: readonly X509Certificate[],
  records: readonly CertificateAssociation[],
  nameProblem: () => string | undefined,
  now: number,
): string | undefined {
  const [own] = chain;
  if (own === undefined) return 'the server shows no certificate';
  if (records.some((record) => record.usage === endEntity && matches(own, record))) return undefined;
  const anchors = records.filter(({ usage }) => usage === trustAnchor);
  const at = chain.findIndex((certificate) => anchors.some((record) => matches(certificate, record)));
  if (at < 0) return 'no TLSA record is for the certificates of the server';
  return nameProblem() ?? linkProblem(chain.slice(0, at + 1), now);
}

/** Why the first certificate does not come from the last one. */
function linkProblem(chain: readonly X509Certificate[], now: number): string | undefined {
  for (const [i, certificate] of chain.entries()) {
    if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) {
      return 'a certificate is not valid at this time';
    }
    const issuer = chain[i + 1];
    if (issuer === undefined) continue;
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      return 'the certificates of the server are no chain';
    }
  }
  return undefined;
}

/** The certificates that the other side shows, its own first. */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < longestChain) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** The same, and behind them the authority that this side knows, when it is not shown. */
export function wholeChainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < longestChain) {
    chain.push(new (crypto().X509Certificate)(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
