/** STARTTLS and TLS from the first octet, on the side of the server (RFC 3207; Exim spec 43). */

import { errorText } from '../../lib/errno.ts';
import type { ServerTls, TlsOutcome } from '../../net/tls.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import { examineImplicitly } from '../logins.ts';
import { serverTls } from '../server-tls.ts';
import { consent, refusal } from './acl-reply.ts';
import { setProtocol } from './helo.ts';
import { type Reception, shownInLog } from './reception.ts';

/** The answer to STARTTLS, after which the handshake comes. */
export async function startTls(reception: Reception): Promise<Reply> {
  const { acls, runtime, context } = reception;
  const result = await acls.run('STARTTLS', runtime.config.main.acl_smtp_starttls);
  if (result !== undefined && result.outcome !== 'accept') return refusal(result, 'STARTTLS', 'STARTTLS', reception);
  try {
    const settings = await serverTls(runtime, context, 'smtp');
    await settings.contextFor(undefined);
    reception.tlsSettings = settings;
  } catch (error) {
    runtime.logs.panic(`TLS error on connection from ${reception.name}: ${errorText(error)}`);
    return { code: '454', text: 'TLS currently unavailable' };
  }
  return consent(result, '220', 'TLS go ahead', reception);
}

export async function tlsSettings(reception: Reception): Promise<ServerTls> {
  return reception.tlsSettings ?? (await serverTls(reception.runtime, reception.context, 'smtp'));
}

/** Notes what was agreed on; the client must introduce itself anew. */
export async function secured(outcome: TlsOutcome, reception: Reception): Promise<void> {
  const { runtime, connection, context } = reception;
  if (outcome.outcome === 'failed') {
    const what = `(SSL_accept): ${outcome.text}`;
    const { event_action: action } = runtime.config.main;
    if (action !== undefined) {
      const { raise } = await import('../events.ts');
      await raise(action, { name: 'tls:fail:connect', data: what }, runtime, context);
    }
    runtime.logs.main(shownInLog(`TLS error on connection from ${reception.name} ${what}`));
    return;
  }
  connection.tls = outcome.facts;
  if (!runtime.config.main.tls_remember_esmtp) {
    connection.heloName = '';
    reception.extended = false;
  }
  reception.mechanisms = [];
  reception.offersTls = false;
  setProtocol(reception);
  const login = await examineImplicitly(runtime, context);
  if (login?.outcome === 'accepted') setProtocol(reception);
}
