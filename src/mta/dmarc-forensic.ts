/**
 * Reports about single messages that failed DMARC (Exim spec 58.6, control dmarc_enable_forensic; RFC 6591): to the addresses
 * that the record names, as far as they are of the same organization or agreed to get reports (RFC 7489 §7.1).
 */

import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { parseAddress } from '../mail/address.ts';
import { headerAddresses } from '../mail/address-header.ts';
import { rfc5322Date } from '../mail/date.ts';
import { type DmarcAnswer, takesReports } from '../origin/dmarc.ts';
import type { PublicSuffixes } from '../origin/public-suffixes.ts';
import { newBoundary, reportSender } from './report-text.ts';
import type { Runtime } from './runtime.ts';
import { submitReport } from './submit.ts';

/** Addresses of one record that are written to. */
const mostAddresses = 3;
/** Octets of header lines that are shown. */
const longestHeaders = 64 * 1024;

/** Sends the reports, if the message failed and anybody wants them; they are put on the queue. */
export async function reportFailure(
  answer: DmarcAnswer,
  context: Context,
  suffixes: PublicSuffixes,
  runtime: Runtime,
): Promise<void> {
  const { message } = context;
  if (message === undefined || answer.record === undefined || answer.status === 'accept') return;
  const recipients: string[] = [];
  for (const address of addressesIn(answer.record.forensic)) {
    const domain = address.slice(address.lastIndexOf('@') + 1);
    if (await takesReports(answer.from, domain, suffixes, runtime.resolver)) recipients.push(address);
  }
  if (recipients.length === 0) return;
  try {
    const { line, sender } = await writer(context, runtime);
    const boundary = newBoundary();
    const report = await submitReport(
      {
        recipients,
        sender,
        headers: [
          'Auto-Submitted: auto-generated\n',
          `From: ${line}\n`,
          `To: ${recipients.join(',\n\t')}\n`,
          `Subject: DMARC Forensic Report for ${answer.from} from IP ${context.connection?.hostAddress ?? ''}\n`,
          `Content-Type: multipart/report; report-type=feedback-report; boundary=${boundary}\n`,
          'MIME-Version: 1.0\n',
        ],
        reference: undefined,
        async writeBody(write) {
          await write(Buffer.from(bodyOf(answer, boundary, context), 'latin1'));
        },
      },
      runtime,
    );
    report.release();
  } catch (error) {
    runtime.logs.panic(`DMARC forensic report for ${answer.from} failed: ${errorText(error)}`, message.id);
  }
}

/** `mailto:a@b.example!10m,mailto:…`: the addresses that make sense. */
function addressesIn(list: string): readonly string[] {
  return list
    .split(',')
    .slice(0, mostAddresses)
    .flatMap((uri) => /^mailto:([^!%?]+)(?:!.*)?$/i.exec(uri)?.[1] ?? [])
    .filter((text) => {
      const parsed = parseAddress(text);
      return !('error' in parsed) && parsed.domain !== undefined && parsed.address === text;
    });
}

/** The From: line, and the sender of the envelope (dmarc_forensic_sender). */
async function writer(context: Context, runtime: Runtime): Promise<{ readonly line: string; readonly sender: string }> {
  const expansion = await runtime.config.main.dmarc_forensic_sender?.expand(context);
  const line = expansion?.ok ? expansion.text.value.replace(/[\0-\x1f]+/g, ' ') : '';
  if (expansion?.ok === false) runtime.logs.panic(`failed to expand dmarc_forensic_sender: ${expansion.message}`);
  if (line === '') return { line: await reportSender(runtime, context), sender: '' };
  return { line, sender: headerAddresses(`From: ${line}\n`)[0]?.address ?? '' };
}

function bodyOf({ from, status, alignedDkim, alignedSpf }: DmarcAnswer, boundary: string, context: Context): string {
  const { message, connection, settings } = context;
  const lines = (message?.headers ?? []).map(({ text }) => text).join('');
  const shown = lines.length <= longestHeaders ? lines : lines.slice(0, lines.lastIndexOf('\n', longestHeaders) + 1);
  const facts = [
    ['Feedback-Type', 'auth-failure'],
    ['User-Agent', 'Tabella'],
    ['Version', '1'],
    ['Auth-Failure', 'dmarc'],
    ['Original-Mail-From', `<${message?.sender ?? ''}>`],
    ['Source-IP', connection?.hostAddress ?? ''],
    ['Arrival-Date', rfc5322Date(clock.now())],
    ['Reported-Domain', from],
    ['Reporting-MTA', `dns; ${settings.primaryHostname}`],
    ['Delivery-Result', status === 'reject' ? 'reject' : 'other'],
    ['Identity-Alignment', alignedDkim ? 'dkim' : alignedSpf ? 'spf' : 'none'],
  ].map(([name, value]) => `${name}: ${String(value).replace(/[\0-\x1f\x7f]/g, '?')}\n`);
  return `--${boundary}
Content-Type: text/plain; charset=us-ascii

A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: ${from}
  Sender IP Address: ${connection?.hostAddress ?? ''}
  Received Date: ${rfc5322Date(clock.now())}

--${boundary}
Content-Type: message/feedback-report

${facts.join('')}
--${boundary}
Content-Type: text/rfc822-headers

${shown}
--${boundary}--
`;
}
