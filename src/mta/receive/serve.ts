/** Runs one SMTP session: over a connection that was taken, or over standard input and output. */

import { parseInterval } from '../../lib/intervals.ts';
import type { LineConnection } from '../../net/line-connection.ts';
import { type Decisions, nobody } from '../../observe/decision.ts';
import { type SessionEnd, SmtpSession } from '../../smtp/server/session.ts';
import type { Client, ReceptionTools } from './client.ts';
import { behindProxy, refusedCommand } from './proxied.ts';
import { Receiver } from './receiver.ts';
import { Reception } from './reception.ts';

/** @throws BatchFailure when a batch has a mistake */
export async function serve(
  lines: LineConnection,
  client: Client,
  tools: ReceptionTools,
  decisions: Decisions = nobody,
): Promise<SessionEnd> {
  const { runtime } = tools;
  const { main } = runtime.config;
  const first = new Reception(client, tools, decisions);
  const served = await behindProxy(lines, first);
  const reception = served === client ? first : new Reception(served, tools, decisions);
  const timeout = client.timeout ?? (await receiveTimeout(reception));
  const session = new SmtpSession(lines, new Receiver(reception), {
    hostname: () => reception.hostname,
    timeout: timeout * 1000,
    maximumMistakes: main.smtp_max_synprot_errors,
    maximumUnknown: main.smtp_max_unknown_commands,
    maximumNonMail: main.smtp_accept_max_nonmail,
    limitsNonMail: () => reception.isIn(main.smtp_accept_max_nonmail_hosts),
    isRemote: client.isNetwork,
    remembersHelo: main.tls_remember_esmtp,
    mayBeginEarly: () => reception.isIn(main.pipelining_connect_advertise_hosts),
    enforceSync: main.smtp_enforce_sync,
    isBatch: client.isBatch,
    beginsWithTls: client.beginsWithTls ?? false,
    refusal: served.connection.proxy?.isRefused ? refusedCommand : undefined,
    requiresHelo: async () => reception.heloIsWrong || (await reception.isIn(main.hosts_require_helo)),
  });
  reception.flush = () => session.flush();
  try {
    return await session.run();
  } finally {
    reception.forgetMessage();
  }
}

/** Seconds to wait for a command or a block of data; 0 for ever (Exim spec 14, smtp_receive_timeout). */
async function receiveTimeout({ runtime, context }: Reception): Promise<number> {
  const setting = runtime.config.main.smtp_receive_timeout;
  if (typeof setting === 'number') return setting;
  const expansion = await setting.expand(context);
  const seconds = expansion.ok ? parseInterval(expansion.text.value) : undefined;
  if (seconds !== undefined) return seconds;
  runtime.logs.panic(`bad value for smtp_receive_timeout: '${expansion.ok ? expansion.text.value : ''}'`);
  return 300;
}
