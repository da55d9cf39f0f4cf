/** Somebody is shown each certificate of the other side before the connection is used, and may object (Exim spec 61, tls:cert). */

import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { TlsOutcome } from './tls.ts';

/** Is shown a certificate as PEM; the other side's own is at depth 0. Answers an objection, or nothing in a text. */
export type CertificateWatch = (certificate: string, depth: number) => Promise<string>;

/** What has failed then. */
const step = 'certificate verification failed';

/** Shows the chain, from its far end; an objection ends the connection, and so does that the other side has gone meanwhile. */
export async function watched(
  outcome: TlsOutcome,
  watch: CertificateWatch | undefined,
  chain: readonly X509Certificate[],
): Promise<TlsOutcome> {
  if (outcome.outcome !== 'started' || watch === undefined) return outcome;
  const { socket } = outcome;
  const fail = (text: string): TlsOutcome => {
    socket.destroy();
    return { outcome: 'failed', step, text };
  };
  for (const [depth, certificate] of [...chain.entries()].reverse()) {
    if ((await watch(certificate.toString(), depth)) !== '') return fail('certificate denied by event_action');
  }
  return socket.destroyed ? fail('the other side closed the connection') : outcome;
}

/** What Node would have looked at before it let anybody see the certificates. */
export function verifiedBehind(
  outcome: TlsOutcome,
  problem: Error | undefined,
  [own]: readonly X509Certificate[],
  checkName: ((certificate: PeerCertificate) => Error | undefined) | undefined,
): TlsOutcome {
  if (outcome.outcome !== 'started') return outcome;
  const found = problem ?? (own === undefined ? undefined : checkName?.(own.toLegacyObject()));
  if (found === undefined) return outcome;
  outcome.socket.destroy();
  return { outcome: 'failed', step, text: found.message };
}
