/** TLS with the hosts of the smtp transport: whether it is used, with what, and what happens when it fails (Exim spec 43.10). */

import { freshResults } from '../expand/expand.ts';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import type { ClientTls, TlsFacts } from '../net/tls.ts';
import { noFacts, statusCheckFailed, tlsLibrary } from '../net/tls.ts';
import { secureContext } from '../net/tls-context.ts';
import { alpnOf, settingOf, tlsMaterial } from '../options/tls-settings.ts';
import { Text } from '../safe/taint.ts';
import { isFailure } from '../smtp/client/failure.ts';
import type { ClientSession } from '../smtp/client/session.ts';
import { replyClass, replyText } from '../smtp/reply.ts';
import { type Dane, usageBits } from './smtp-dane.ts';
import { type Verdict, verdictOf } from './smtp-failure.ts';
import { contextOf, isListed, type ReachableHost, raiseAt, type SmtpSetup } from './smtp-run.ts';
import { sessionOf } from './smtp-sessions.ts';
import { errorCodes } from './transport.ts';

export type Securing =
  | { readonly outcome: 'secured'; readonly facts: TlsFacts; readonly isRequired: boolean }
  /** It goes on without. */
  | { readonly outcome: 'in clear' }
  /** The connection is lost, and another may be made without TLS. */
  | { readonly outcome: 'again in clear'; readonly reason: string }
  | { readonly outcome: 'given up'; readonly verdict: Verdict };

const hostVerdict = (code: number, message: string, quiet = false): Securing => ({
  outcome: 'given up',
  verdict: { outcome: 'deferred', of: 'host', error: { code, message }, quiet },
});

/**
 * Whether the host is asked to prove that its certificate holds. Where its own certificate stands in the DNS, an authority
 * has no say; so unless the option says otherwise, it is asked only for what authorities have issued (Exim spec 43.18).
 */
async function ocspDemand(run: SmtpSetup, host: ReachableHost): Promise<ClientTls['ocsp']> {
  const { options, dane } = run;
  if (await isListed(run, options.hosts_require_ocsp, host)) return 'required';
  const list = options.hosts_request_ocsp;
  const tlsaUsage = dane === undefined ? 0 : usageBits(dane);
  if (list?.template.source === '*') return tlsaUsage === 0 || tlsaUsage === authoritiesAlone ? 'asked' : 'not asked';
  return (await isListed(run, list, host, { ...noFacts, tlsaUsage })) ? 'asked' : 'not asked';
}

/** TLSA records that name authorities, and none for certificates themselves. */
const authoritiesAlone = 4;

/**
 * The server that answers for a host of many, by what it said to EHLO; sessions are resumed only where they began
 * (Exim spec 30.4, host_name_extract). @throws BadSetting
 */
async function serverNameOf(run: SmtpSetup, host: ReachableHost, session: ClientSession): Promise<string> {
  const { introduction } = session;
  if (introduction === undefined) return '';
  const results = { ...freshResults(), item: Text.tainted(replyText(introduction)) };
  return settingOf('host_name_extract', run.options.host_name_extract, { ...contextOf(run, host), results });
}

/** Tells event_action of each certificate; its objection is told in the log. */
function watchFor(run: SmtpSetup, host: ReachableHost): ClientTls['watch'] {
  if (run.services.hasEvents !== true) return undefined;
  return async (peerCertificate, depth) => {
    const objection = await raiseAt(run, host, 'tls:cert', String(depth), 0, { ...noFacts, peerCertificate });
    if (objection !== '') run.services.log(`SSL verify denied by event-action: depth=${depth}: ${objection}`);
    return objection;
  };
}

async function settingsFor(run: SmtpSetup, host: ReachableHost, session: ClientSession): Promise<ClientTls> {
  const { options } = run;
  const context = contextOf(run, host);
  const { dane } = run;
  if (dane !== undefined) return daneSettings(run, host, dane);
  const mustVerify = await isListed(run, options.tls_verify_hosts, host);
  const verifies = mustVerify || (await isListed(run, options.tls_try_verify_hosts, host));
  const checksName = verifies && (await isListed(run, options.tls_verify_cert_hostnames, host));
  const material = await tlsMaterial(options, verifies, context);
  const sni = await settingOf('tls_sni', options.tls_sni, context);
  const ocsp = await ocspDemand(run, host);
  // a session that is taken up brings no proof
  const resumes = ocsp !== 'required' && (await isListed(run, options.tls_resumption_hosts, host));
  const server = resumes ? await serverNameOf(run, host, session) : '';
  const place = [host.name, host.address, host.port, server, sni, mustVerify, checksName];
  return {
    context: await secureContext({ ...material, ...plainly }, clock.now()),
    sni,
    resumption: resumes ? sessionOf([...place, material]) : undefined,
    checkName: checksName
      ? (certificate) => tlsLibrary().checkServerIdentity(host.name === '' ? host.address : host.name, certificate)
      : undefined,
    mustVerify,
    alpn: await alpnOf(options.tls_alpn, await isListed(run, options.hosts_require_alpn, host), context),
    ocsp,
    watch: watchFor(run, host),
    leastDhBits: options.tls_dh_min_bits,
    timeout: options.command_timeout * 1000,
  };
}

/** With TLSA records the options about authorities do not matter, and the name that is asked for is the host's. */
async function daneSettings(run: SmtpSetup, host: ReachableHost, dane: Dane): Promise<ClientTls> {
  const { options } = run;
  const context = contextOf(run, host);
  const ciphers = options.dane_require_tls_ciphers ?? options.tls_require_ciphers;
  const material = await tlsMaterial({ ...options, tls_require_ciphers: ciphers, tls_crl: undefined }, false, context);
  return {
    context: await secureContext({ ...material, ...plainly }, clock.now()),
    sni: host.name,
    checkName: undefined,
    mustVerify: false,
    dane: {
      records: dane.records,
      usage: usageBits(dane),
      checkName: (certificate) => tlsLibrary().checkServerIdentity(host.name, certificate),
    },
    alpn: await alpnOf(options.tls_alpn, await isListed(run, options.hosts_require_alpn, host), context),
    ocsp: await ocspDemand(run, host),
    watch: watchFor(run, host),
    leastDhBits: options.tls_dh_min_bits,
    timeout: options.command_timeout * 1000,
  };
}

/** Clients leave to the library what is not set. */
const plainly = { options: undefined, curve: undefined, dhParameters: 'none' } as const;

/** The handshake; answers what was agreed on, or why it failed. */
export async function handshake(
  run: SmtpSetup,
  host: ReachableHost,
  session: ClientSession,
): Promise<{ readonly facts: TlsFacts } | { readonly reason: string }> {
  let settings: ClientTls;
  try {
    settings = await settingsFor(run, host, session);
  } catch (error) {
    // the host waits for a handshake that does not come
    session.close();
    return { reason: `TLS session: (tls_setup): ${errorText(error)}` };
  }
  const secured = await session.startTls(settings);
  if (secured.outcome === 'started') return { facts: secured.facts };
  const { step } = secured;
  if (run.dane !== undefined) await raiseAt(run, host, 'dane:fail', 'validation-failure');
  if (step === statusCheckFailed) {
    // Exim's log does not say more
    run.request.context.decisions.step('tls', statusCheckFailed, 'failed', secured.text);
    return { reason: `TLS session: (${step})` };
  }
  const guessed = /certificate|altname/i.test(secured.text) ? 'certificate verification failed' : 'SSL_connect';
  return { reason: `TLS session: (${step ?? guessed}): ${secured.text}` };
}

/** Whether TLS is not even tried with this host. */
async function avoids(run: SmtpSetup, host: ReachableHost): Promise<boolean> {
  const { options, isCallout } = run;
  if (await isListed(run, options.hosts_avoid_tls, host)) return true;
  return isCallout === true && isListed(run, options.hosts_verify_avoid_tls, host);
}

/** Begins TLS where the host offers it and the options let it (hosts_avoid_tls, hosts_require_tls, tls_tempfail_tryclear). */
export async function secure(run: SmtpSetup, host: ReachableHost, session: ClientSession): Promise<Securing> {
  const { options } = run;
  const isRequired = run.dane !== undefined || (await isListed(run, options.hosts_require_tls, host));
  if (!session.extensions.has('STARTTLS') || (!isRequired && (await avoids(run, host)))) {
    if (!isRequired) return { outcome: 'in clear' };
    if (run.dane !== undefined) await raiseAt(run, host, 'dane:fail', 'starttls-not-supported');
    return hostVerdict(errorCodes.tlsRequired, 'a TLS session is required, but the server did not offer TLS support');
  }
  const answer = await session.exchange('STARTTLS', 'tls');
  if (isFailure(answer)) return { outcome: 'given up', verdict: verdictOf(answer) };
  if (replyClass(answer) !== 2) {
    if (isRequired) {
      return hostVerdict(errorCodes.tlsRequired, 'a TLS session is required, but an attempt to start TLS failed');
    }
    if (replyClass(answer) === 5 || options.tls_tempfail_tryclear) return { outcome: 'in clear' };
    return hostVerdict(0, `SMTP error from remote mail server after STARTTLS: ${replyText(answer)}`);
  }
  const result = await handshake(run, host, session);
  if ('facts' in result) return { outcome: 'secured', facts: result.facts, isRequired };
  return withoutTls(run, result.reason, isRequired);
}

/** TLS has failed, and the connection is lost with it. */
function withoutTls({ options }: SmtpSetup, reason: string, isRequired: boolean): Securing {
  if (!isRequired && options.tls_tempfail_tryclear) return { outcome: 'again in clear', reason };
  return hostVerdict(errorCodes.tlsFailed, reason, true);
}

/**
 * The host was lost before its first answer over TLS: with TLS 1.3 it may turn our certificate away when the handshake
 * is over for us.
 */
export function lostBehindHandshake(run: SmtpSetup, isRequired: boolean): Securing {
  return withoutTls(run, 'TLS session: error on first read', isRequired);
}
