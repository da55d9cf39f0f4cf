/**
 * TLS over a connection that is there already: after STARTTLS, or from its first octet. Both ends; what was agreed on
 * comes back as plain facts, which logs and variables show (Exim spec 43).
 */

import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { PeerCertificate, SecureContext, TLSSocket, TLSSocketOptions, TlsOptions } from 'node:tls';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { certificateFields, nameText } from './certificate-fields.ts';
import { type ChannelBinding, channelBinding } from './channel-binding.ts';
import { chainOf, daneProblem, wholeChainOf } from './dane.ts';
import type { CertificateAssociation } from './dns-records.ts';
import { ocspProblem, revoked } from './ocsp.ts';
import { type CertificateWatch, verifiedBehind, watched } from './tls-watch.ts';

type Tls = typeof import('node:tls');

/** Loaded when it is first needed: short commands do without. */
export const tlsLibrary = (): Tls => process.getBuiltinModule('node:tls');

export interface TlsFacts {
  /** `TLS1.3:TLS_AES_256_GCM_SHA384:256`, as logs have it. */
  readonly cipher: string;
  /** The name that the standards give the cipher. */
  readonly standardCipher: string;
  readonly bits: number;
  /** `TLS1.3` */
  readonly version: string;
  /** The other side showed a certificate, and it is good. */
  readonly verified: boolean;
  /** Subject of its certificate, `CN=…,O=…`. */
  readonly peerDn: string;
  /** The name that was asked for. */
  readonly sni: string;
  readonly resumed: boolean;
  /** What became of the proof that the certificate still holds (Exim spec 11.9, tls_in_ocsp). */
  readonly ocsp: OcspState;
  /** The DNS vouches for the certificate of the other side (DANE); which usages of TLSA records there were, as bits. */
  readonly dane?: boolean | undefined;
  readonly tlsaUsage?: number | undefined;
  /** Certificates as PEM; empty where there is none. */
  readonly peerCertificate: string;
  readonly ownCertificate: string;
}

/** Not asked for; not there though asked for; not looked at; bad or, from a server, not there; good. */
export type OcspState = 0 | 1 | 2 | 3 | 4;

/** Nothing was agreed on yet. */
export const noFacts: TlsFacts = {
  cipher: '',
  standardCipher: '',
  bits: 0,
  version: '',
  verified: false,
  peerDn: '',
  sni: '',
  resumed: false,
  ocsp: 0,
  peerCertificate: '',
  ownCertificate: '',
};

export type TlsOutcome =
  | { readonly outcome: 'started'; readonly socket: TLSSocket; readonly facts: TlsFacts }
  /** `step` says what has failed, where it is not the handshake itself. */
  | { readonly outcome: 'failed'; readonly text: string; readonly step?: string };

/** What a server wants of the certificates of its clients. */
export type CertificateDemand = 'none' | 'asked for' | 'required';

/** What is asked of the other side about application protocols (RFC 7301). */
export interface Alpn {
  readonly names: readonly string[];
  /** None is not enough. */
  readonly isRequired: boolean;
}

export interface ServerTls {
  /** The certificate for a name that the client asks for, if it asks for one. */
  contextFor(sni: string | undefined): Promise<SecureContext>;
  readonly demand: CertificateDemand;
  /** A client that names another protocol, or several, is turned away; nothing when it may name what it likes. */
  readonly alpn: Alpn | undefined;
  /** Sees the certificates of clients. */
  readonly watch?: CertificateWatch | undefined;
  /** The proof that our certificate still holds, in DER, for clients that ask for it (RFC 6066 §8). */
  readonly staple?: Buffer | undefined;
  /** Milliseconds for the whole handshake. */
  readonly timeout: number;
}

export interface ClientTls {
  readonly context: SecureContext;
  /** The name that the server is asked to show its certificate for; none when empty. */
  readonly sni: string;
  /** What the certificate must be good for; nothing when its name does not matter. */
  readonly checkName: ((certificate: PeerCertificate) => Error | undefined) | undefined;
  /** Whether a bad certificate ends it all. */
  readonly mustVerify: boolean;
  readonly alpn: Alpn | undefined;
  /** TLSA records that the certificate is compared with, in place of asking authorities, and what is wrong with its name. */
  readonly dane?: {
    readonly records: readonly CertificateAssociation[];
    readonly usage: number;
    readonly checkName: (certificate: PeerCertificate) => Error | undefined;
  };
  /** The session of last time, and who keeps the next one; nothing when none is taken up again. */
  readonly resumption?: { readonly session: Buffer | undefined; keep(session: Buffer): void } | undefined;
  /** The least size of Diffie-Hellman parameters, in bits. */
  readonly leastDhBits?: number | undefined;
  /** Whether the server shall prove that its certificate still holds, and whether it must. */
  readonly ocsp: 'not asked' | 'asked' | 'required';
  /** Sees the certificates of the server. */
  readonly watch?: CertificateWatch | undefined;
  readonly timeout: number;
}

/** Who can tell what a login is bound to; asked by few. */
const bindings = new WeakMap<TlsFacts, () => ChannelBinding | undefined>();

/** What a login over this connection can be bound to, if anything. */
export const bindingOf = (facts: TlsFacts): ChannelBinding | undefined => bindings.get(facts)?.();

function bindable(outcome: TlsOutcome, end: 'client' | 'server'): TlsOutcome {
  if (outcome.outcome === 'started') bindings.set(outcome.facts, () => channelBinding(outcome.socket, end));
  return outcome;
}

/** Strengths of ciphers by their name; 128 for all others. */
const strengths: readonly (readonly [RegExp, number])[] = [
  [/CHACHA20|(?:AES|CAMELLIA|ARIA)_?256/, 256],
  [/3DES|CBC3/, 112],
];

function strengthOf(cipher: string): number {
  for (const [pattern, bits] of strengths) if (pattern.test(cipher)) return bits;
  return 128;
}

/** As Exim with GnuTLS writes it, and as `${certextract{subject}…}` does. */
function subjectOf(certificate: X509Certificate | undefined): string {
  const fields = certificate === undefined ? undefined : certificateFields(certificate.raw);
  return fields === undefined ? '' : nameText(fields.subject);
}

/** Why the certificate of a client is not believed. Node itself asks only for sockets of its own servers. */
function verificationProblem(socket: TLSSocket): Error | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { verifyError?(): Error | null } };
  if (handle?.verifyError === undefined) return new Error('it cannot be told');
  return handle.verifyError() ?? undefined;
}

function factsOf(socket: TLSSocket, sni: string, peer: X509Certificate | undefined, isVerified: boolean): TlsFacts {
  const { name, standardName } = socket.getCipher();
  const version = (socket.getProtocol() ?? '').replace(/^TLSv1$/, 'TLSv1.0').replace('v', '');
  const bits = strengthOf(name);
  return {
    cipher: `${version}:${name}:${bits}`,
    standardCipher: standardName,
    bits,
    version,
    verified: peer !== undefined && isVerified,
    peerDn: subjectOf(peer),
    sni,
    resumed: socket.isSessionReused(),
    ocsp: 0,
    peerCertificate: peer?.toString() ?? '',
    ownCertificate: socket.getX509Certificate()?.toString() ?? '',
  };
}

/** What OpenSSL says, without the place in its source and without line ends. */
function wordsOf(error: unknown): string {
  const text = errorText(error);
  const found = /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(text)?.[1];
  // advice for those who start Node helps nobody here
  return (found ?? text).replace(/; if the root CA .*/s, '').replace(/[\r\n]+/g, ' ');
}

/** Waits for the end of the handshake. */
function settled(
  socket: TLSSocket,
  event: 'secure' | 'secureConnect',
  facts: () => TlsFacts,
  timeout: number,
): Promise<TlsOutcome> {
  return new Promise((resolve) => {
    const fail = (text: string): void => {
      clearTimeout(timer);
      resolve({ outcome: 'failed', text });
      socket.destroy();
    };
    const onError = (error: unknown): void => fail(wordsOf(error));
    const onClose = (): void => fail('the other side closed the connection');
    const timer = setTimeout(() => fail('timed out'), timeout);
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', onError);
      socket.off('close', onClose);
      // whoever takes the stream listens for errors; until then none may be thrown
      socket.on('error', () => undefined);
      resolve({ outcome: 'started', socket, facts: facts() });
    });
  });
}

/** The server's side. */
export async function acceptTls(raw: Duplex, settings: ServerTls): Promise<TlsOutcome> {
  const { demand, alpn, timeout } = settings;
  let secureContext: SecureContext;
  try {
    secureContext = await settings.contextFor(undefined);
  } catch (error) {
    return { outcome: 'failed', text: errorText(error) };
  }
  let sni = '';
  let ocsp: OcspState = 0;
  const options: TLSSocketOptions & Pick<TlsOptions, 'ALPNCallback'> = {
    isServer: true,
    secureContext,
    requestCert: demand !== 'none',
    // looked at below: Node would cut the connection without a word about why
    rejectUnauthorized: false,
    SNICallback(name, done) {
      sni = name;
      settings.contextFor(name).then(
        (context) => done(null, context),
        (error: Error) => done(error),
      );
    },
    ...(alpn === undefined
      ? {}
      : { ALPNCallback: ({ protocols: [only, ...more] }) => (more.length > 0 ? undefined : named(only, alpn)) }),
  };
  const { TLSSocket } = tlsLibrary();
  const socket = new TLSSocket(raw, {
    ...options,
    ...stapling(settings.staple, () => {
      ocsp = 4;
    }),
  });
  const isVerified = (): boolean => verificationProblem(socket) === undefined;
  // Node shows the certificates of the other side only once
  let chain: readonly X509Certificate[] = [];
  const facts = (): TlsFacts => {
    chain = chainOf(socket);
    return { ...factsOf(socket, sni, chain[0], isVerified()), ocsp };
  };
  const agreed = withAlpn(await settled(socket, 'secure', facts, timeout), alpn);
  const outcome = await watched(agreed, settings.watch, chain);
  if (outcome.outcome === 'started' && demand === 'required' && !outcome.facts.verified) {
    const problem = wordsOf(verificationProblem(outcome.socket) ?? 'there is none');
    socket.destroy();
    return { outcome: 'failed', text: `certificate verification failed: ${problem}` };
  }
  return bindable(outcome, 'server');
}

/** Node asks for the proof at the server that a socket belongs to; ours belongs to one that serves nobody else. */
function stapling(staple: Buffer | undefined, isAsked: () => void): Pick<TLSSocketOptions, 'server'> {
  if (staple === undefined) return {};
  const server = tlsLibrary().createServer();
  type Answer = (error: Error | null, proof: Buffer) => void;
  server.on('OCSPRequest', (_certificate: Buffer, _issuer: Buffer, answer: Answer) => {
    isAsked();
    answer(null, staple);
  });
  return { server };
}

const named = (name: string | undefined, { names }: Alpn): string | undefined =>
  name !== undefined && names.includes(name) ? name : undefined;

/** A handshake without a protocol has failed where there must be one. */
function withAlpn(outcome: TlsOutcome, alpn: Alpn | undefined): TlsOutcome {
  if (outcome.outcome !== 'started' || !alpn?.isRequired || outcome.socket.alpnProtocol) return outcome;
  outcome.socket.destroy();
  return { outcome: 'failed', text: 'no application protocol was agreed on (ALPN)' };
}

/** A handshake with a server that the DNS does not vouch for has failed, when there are records that could. */
function withDane(
  outcome: TlsOutcome,
  dane: NonNullable<ClientTls['dane']>,
  chain: readonly X509Certificate[],
): TlsOutcome {
  if (outcome.outcome !== 'started') return outcome;
  const { socket, facts } = outcome;
  const told = { ...facts, tlsaUsage: dane.usage };
  if (dane.records.length === 0) return { ...outcome, facts: told };
  const nameProblem = (): string | undefined => chain[0] && dane.checkName(chain[0].toLegacyObject())?.message;
  const problem = daneProblem(chain, dane.records, nameProblem, clock.now());
  if (problem === undefined) return { ...outcome, facts: { ...told, verified: true, dane: true } };
  socket.destroy();
  return { outcome: 'failed', text: `certificate verification failed: DANE: ${problem}` };
}

/** The step that fails where a proof is a must. */
export const statusCheckFailed = 'certificate status check failed';

/**
 * A good proof makes no bad certificate good, but a bad one makes it bad; when none is there that matters only where there
 * must be one. With a session that is taken up no server shows it again.
 */
function withOcsp(
  outcome: TlsOutcome,
  { ocsp, mustVerify }: ClientTls,
  proof: Buffer | undefined,
  [own, issuer]: readonly X509Certificate[],
): TlsOutcome {
  if (outcome.outcome !== 'started' || ocsp === 'not asked') return outcome;
  const { socket, facts } = outcome;
  const fail = (step: string, text: string): TlsOutcome => {
    socket.destroy();
    return { outcome: 'failed', step, text };
  };
  const problem =
    own === undefined || proof === undefined
      ? 'the server shows no proof that its certificate holds'
      : // an authority proves what we believe only when we believe the authority
        ((facts.dane ? undefined : verificationProblem(socket)?.message) ??
        ocspProblem(proof, own, issuer, clock.now()));
  if (problem === undefined) return { ...outcome, facts: { ...facts, ocsp: 4 } };
  if (ocsp === 'required') return fail(statusCheckFailed, problem);
  if (proof === undefined) return { ...outcome, facts: { ...facts, ocsp: facts.resumed ? 1 : 3 } };
  // of the DNS's own certificates no authority need be known
  const isBad = facts.dane ? problem === revoked : mustVerify;
  if (isBad) return fail('certificate verification failed', problem);
  return { ...outcome, facts: { ...facts, verified: facts.dane === true, ocsp: 3 } };
}

/** The client's side. */
export async function startTls(raw: Duplex, settings: ClientTls): Promise<TlsOutcome> {
  const { context, sni, checkName, mustVerify, alpn, leastDhBits, resumption, timeout } = settings;
  const socket = tlsLibrary().connect({
    socket: raw,
    secureContext: context,
    ...(sni === '' ? {} : { servername: sni }),
    checkServerIdentity: (_, certificate) => checkName?.(certificate),
    // who looks at certificates sees bad ones, too
    rejectUnauthorized: mustVerify && settings.watch === undefined,
    ...(alpn === undefined || alpn.names.length === 0 ? {} : { ALPNProtocols: [...alpn.names] }),
    ...(leastDhBits === undefined ? {} : { minDHSize: leastDhBits }),
    ...(resumption?.session === undefined ? {} : { session: resumption.session }),
    ...(settings.ocsp === 'not asked' ? {} : { requestOCSP: true }),
  });
  let proof: Buffer | undefined;
  socket.on('OCSPResponse', (octets: Buffer | null) => {
    proof = octets ?? undefined;
  });
  // a session is kept when all is known to be well: it would not be looked at as closely when it is taken up again
  let isWell = false;
  let session: Buffer | undefined;
  if (resumption !== undefined) {
    socket.on('session', (octets: Buffer) => {
      session = octets;
      if (isWell) resumption.keep(octets);
    });
  }
  let chain: readonly X509Certificate[] = [];
  const facts = (): TlsFacts => {
    chain = proof === undefined ? chainOf(socket) : wholeChainOf(socket);
    return factsOf(socket, sni, chain[0], socket.authorized);
  };
  const agreed = withAlpn(await settled(socket, 'secureConnect', facts, timeout), alpn);
  const shown = await watched(agreed, settings.watch, chain);
  const outcome =
    mustVerify && settings.watch !== undefined
      ? verifiedBehind(shown, verificationProblem(socket), chain, checkName)
      : shown;
  const known = settings.dane === undefined ? outcome : withDane(outcome, settings.dane, chain);
  const result = withOcsp(known, settings, proof, chain);
  isWell = result.outcome === 'started';
  if (isWell && session !== undefined) resumption?.keep(session);
  return bindable(result, 'client');
}
