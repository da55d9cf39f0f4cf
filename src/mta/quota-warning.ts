/** The note to the owner of a mailbox that is getting full (Exim spec 26, quota_warn_message). */

import { parseAddress, splitAddressList } from '../mail/address.ts';
import { headerBody } from '../mail/header-line.ts';
import type { Attempt } from './attempt.ts';
import { reportSender } from './report-text.ts';
import { submitReport } from './submit.ts';

/** Header lines and text of the warning, apart. */
function parts(text: string): { readonly headers: readonly string[]; readonly body: string } {
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end + 1);
  const headers: string[] = [];
  for (const line of head.split('\n')) {
    if (line === '') continue;
    if (/^[ \t]/.test(line) && headers.length > 0) headers[headers.length - 1] += `${line}\n`;
    else headers.push(`${line}\n`);
  }
  return { headers, body: end < 0 ? '' : text.slice(end + 2) };
}

/** Sends the warning to those whom its own header lines name. */
export async function sendQuotaWarning(text: string, attempt: Attempt): Promise<void> {
  const { runtime, context, message } = attempt;
  const { headers, body } = parts(text);
  const recipients = headers
    .filter((line) => /^(?:to|cc|bcc):/i.test(line))
    .flatMap((line) => splitAddressList(headerBody(line)))
    .flatMap((item) => {
      const parsed = parseAddress(item);
      if ('error' in parsed || parsed.address === '') return [];
      return [parsed.domain === undefined ? `${parsed.address}@${runtime.settings.qualifyRecipient}` : parsed.address];
    });
  if (recipients.length === 0) {
    attempt.log('quota warning not sent: it names no recipient');
    return;
  }
  const { errors_reply_to: replyTo } = runtime.config.main;
  const hasReplyTo = headers.some((line) => /^reply-to:/i.test(line));
  const report = await submitReport(
    {
      recipients,
      headers: [
        'Auto-Submitted: auto-replied\n',
        `From: ${await reportSender(runtime, context)}\n`,
        ...(replyTo === undefined || hasReplyTo ? [] : [`Reply-To: ${replyTo}\n`]),
        ...headers.filter((line) => !/^bcc:/i.test(line)),
      ],
      reference: message.id,
      async writeBody(write) {
        await write(Buffer.from(body, 'latin1'));
      },
    },
    runtime,
  );
  await attempt.tools.deliverReport(report);
}
