/** The message about addresses in redirection data that were passed over (Exim spec 22.7, syntax_errors_to). */

import type { SyntaxErrorReport } from '../routers/router.ts';
import type { Attempt } from './attempt.ts';
import { reportSender } from './report-text.ts';
import { submitReport } from './submit.ts';

export async function sendSyntaxErrors({ to, text }: SyntaxErrorReport, attempt: Attempt): Promise<void> {
  const { runtime, context, message } = attempt;
  const messageId = message.envelope.headers.find(({ type }) => type === 'I')?.text ?? '';
  // Exim, too, has the reference behind the blank line
  const reference = messageId === '' ? '' : messageId.replace(/^[^:]*:/, 'References:');
  const report = await submitReport(
    {
      recipients: [to],
      headers: [
        'Auto-Submitted: auto-replied\n',
        `From: ${await reportSender(runtime, context)}\n`,
        `To: ${to}\n`,
        'Subject: error(s) in forwarding or filtering\n',
      ],
      reference: message.id,
      async writeBody(write) {
        await write(Buffer.from(`${reference}${text}`, 'latin1'));
      },
    },
    runtime,
  );
  await attempt.tools.deliverReport(report);
}
