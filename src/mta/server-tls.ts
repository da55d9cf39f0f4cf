/**
 * TLS for the clients of this server, as the main options set it (Exim spec 43.6): SMTP, POP3 and whoever else is
 * spoken to over it has the same certificates.
 */

import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { type ListSetting, matchTemplate } from '../lists/option.ts';
import { noFacts, type ServerTls } from '../net/tls.ts';
import { type ContextSpec, secureContext } from '../net/tls-context.ts';
import { alpnOf, dhParameters, ocspProof, settingOf, tlsMaterial } from '../options/tls-settings.ts';
import type { Runtime } from './runtime.ts';

/** Milliseconds that a handshake may take. */
const handshakeTime = 60_000;

async function specFor(
  runtime: Runtime,
  context: Context,
  verifies: boolean,
  givesTickets: boolean,
): Promise<ContextSpec> {
  const { main } = runtime.config;
  const material = await tlsMaterial(main, verifies, context);
  const curve = await settingOf('tls_eccurve', main.tls_eccurve, context);
  return {
    ...material,
    identity: material.identity ?? { selfSigned: runtime.settings.primaryHostname },
    dhParameters: await dhParameters(main.tls_dhparam, main.tls_dh_max_bits, context),
    options: main.openssl_options,
    givesTickets,
    curve: curve === '' || curve === 'auto' ? undefined : curve,
  };
}

/** Tells event_action of each certificate of a client; its objection is told in the log. */
function watchFor(runtime: Runtime, context: Context): ServerTls['watch'] {
  const { connection } = context;
  const { event_action: action } = runtime.config.main;
  if (action === undefined || connection === undefined) return undefined;
  return async (peerCertificate, depth) => {
    const shown = { ...context, connection: { ...connection, tls: { ...noFacts, peerCertificate } } };
    const { raise } = await import('./events.ts');
    const objection = await raise(action, { name: 'tls:cert', data: String(depth) }, runtime, shown);
    if (objection !== '') runtime.logs.main(`SSL verify denied by event-action: depth=${depth}: ${objection}`);
    return objection;
  };
}

/** What a client in `context` is served with; the protocols of `tls_alpn` are those of SMTP. */
export async function serverTls(runtime: Runtime, context: Context, service: 'smtp' | 'pop3'): Promise<ServerTls> {
  const { main } = runtime.config;
  const { connection } = context;
  const isIn = async (list: ListSetting | undefined): Promise<boolean> =>
    list !== undefined && (await matchTemplate(list, connection?.hostAddress ?? '', context)).outcome === 'match';
  const demand = (await isIn(main.tls_verify_hosts))
    ? 'required'
    : (await isIn(main.tls_try_verify_hosts))
      ? 'asked for'
      : 'none';
  // who must show a certificate shows it each time
  const givesTickets = demand === 'none' && (await isIn(main.tls_resumption_hosts));
  return {
    demand,
    watch: demand === 'none' ? undefined : watchFor(runtime, context),
    alpn: service === 'smtp' ? await alpnOf(main.tls_alpn, await isIn(main.hosts_require_alpn), context) : undefined,
    staple: await ocspProof(main.tls_ocsp_file, context),
    timeout: handshakeTime,
    async contextFor(sni) {
      // what is expanded now may look at the name; nothing else of the connection is known yet
      const asked: Context = {
        ...context,
        connection: connection && { ...connection, tls: sni === undefined ? undefined : { ...noFacts, sni } },
      };
      return secureContext(await specFor(runtime, asked, demand !== 'none', givesTickets), clock.now());
    },
  };
}
