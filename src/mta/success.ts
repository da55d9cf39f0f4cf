/**
 * Tells a sender who asked for it that a message was delivered, or passed on to somebody who cannot tell him himself
 * (RFC 3461 §4.1, §5.2).
 */

import { referencesTo } from '../mail/references.ts';
import type { Host } from '../routers/router.ts';
import type { RouteAddress } from './address.ts';
import { topOf } from './address.ts';
import type { Attempt } from './attempt.ts';
import { isWanted, noteTold } from './notification.ts';
import { headerSection, newBoundary, reportHead, reportSender, statusOf } from './report-text.ts';
import { submitReport } from './submit.ts';

/** An address that was delivered, as far as this server can tell. */
export interface SuccessfulAddress {
  readonly address: RouteAddress;
  /** By this host: redirected or delivered here, or sent by a router that asks for the report itself (dsn_lasthop). */
  readonly by: 'this host' | 'last hop' | Host;
}

/** What is said about it to people, and to machines. */
function words({ by }: SuccessfulAddress): { readonly text: string; readonly status: string } {
  if (by === 'this host') {
    return {
      text: 'relayed via non "Remote SMTP" router',
      status: 'Diagnostic-Code: X-Exim; relayed via non SMTP router\n',
    };
  }
  if (by === 'last hop') {
    return { text: 'relayed via non DSN router', status: 'Diagnostic-Code: X-Exim; relayed via non DSN router\n' };
  }
  return {
    text: 'relayed to non-DSN-aware mailer',
    status: `Remote-MTA: dns; ${by.name}\nDiagnostic-Code: smtp; 250 Ok\n`,
  };
}

/** What the sender is to be told of: redirections, then deliveries, each in the order in which they happened. */
function toBeTold({ message, redirected, successes }: Attempt): readonly SuccessfulAddress[] {
  const redirections = redirected.map((address): SuccessfulAddress => ({ address, by: 'this host' }));
  return [...redirections, ...successes].filter(({ address }) => isWanted(address, 'SUCCESS', message.envelope));
}

/** Sends the report, when somebody wants it. */
export async function reportSuccess(attempt: Attempt): Promise<void> {
  const { message, runtime, context, tools } = attempt;
  const { envelope } = message;
  if (envelope.sender === '' || attempt.dontDeliver) return;
  const addresses = toBeTold(attempt);
  if (addresses.length === 0) return;
  const boundary = newBoundary();
  const headers = [
    `From: ${await reportSender(runtime, context)}\n`,
    'Auto-Submitted: auto-generated\n',
    `To: ${envelope.sender}\n`,
    'Subject: Delivery Status Notification\n',
    ...referencesTo(envelope.headers),
    ...reportHead(boundary),
  ];
  let text = `--${boundary}\nContent-type: text/plain; charset=us-ascii\n\nThis message was created automatically by mail delivery software.\n ----- The following addresses had successful delivery notifications -----\n`;
  for (const each of addresses) text += `<${topOf(each.address).address}> (${words(each).text})\n\n`;
  text += headerSection(boundary, runtime.settings.primaryHostname, envelope);
  for (const each of addresses) {
    text += `${statusOf(each.address, 'delivered', '2.0.0', envelope)}${words(each).status}\n`;
  }
  text += `--${boundary}\nContent-type: text/rfc822-headers\n\nReturn-path: <${envelope.sender}>\n`;
  for (const { type, text: line } of envelope.headers) if (type !== '*') text += line;
  text += `\n\n--${boundary}--\n`;
  const report = await submitReport(
    {
      recipients: [envelope.sender],
      headers,
      reference: envelope.id,
      async writeBody(write) {
        await write(Buffer.from(text, 'latin1'));
      },
    },
    runtime,
  );
  for (const { address } of addresses) noteTold(address, envelope);
  await tools.deliverReport(report);
}
