/** Tells the sender of a local message why it was not taken, in a message (Exim spec 5: -oee, -oem). */

import type { Context } from '../expand/context.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { reportSender } from './report-text.ts';
import type { Runtime } from './runtime.ts';
import { submitReport } from './submit.ts';

export interface BadAddress {
  readonly text: string;
  readonly reason: string;
}

/** What was wrong. */
export type SubmissionProblem =
  | { readonly kind: 'no recipients' }
  /** An argument is no address; nothing was taken. */
  | { readonly kind: 'bad recipient'; readonly bad: readonly BadAddress[] }
  /** Header lines hold addresses that are none; `others` were taken. */
  | { readonly kind: 'bad header recipients'; readonly bad: readonly BadAddress[]; readonly others: boolean }
  | { readonly kind: 'too many recipients' }
  | { readonly kind: 'too big'; readonly limit: number }
  | { readonly kind: 'bad headers'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

function listed(bad: readonly BadAddress[], separator: string): string {
  return bad.map(({ text, reason }) => `  ${text}${separator}${reason}\n`).join('');
}

/** Subject and text of the report. */
function wording(problem: SubmissionProblem): { readonly subject: string; readonly text: string } {
  switch (problem.kind) {
    case 'no recipients':
      return {
        subject: 'Mail failure - no recipient addresses',
        text: 'A message that you sent contained no recipient addresses, and therefore no\ndelivery could be attempted.\n',
      };
    case 'bad recipient':
      return {
        subject: 'Mail failure - malformed recipient address',
        text: `A message that you sent contained a recipient address that was incorrectly\nconstructed:\n\n${listed(problem.bad, '  ')}\nThe message has not been delivered to any recipients.\n`,
      };
    case 'bad header recipients': {
      const many = problem.bad.length > 1;
      const fate = problem.others
        ? `${many ? 'These addresses have' : 'This address has'} been ignored. The other addresses in the message were\nsyntactically valid and have been passed on for an attempt at delivery.\n`
        : 'There were no other addresses in your message, and so no attempt at\ndelivery was possible.\n';
      return {
        subject: 'Mail failure - malformed recipient address',
        text: `A message that you sent contained one or more recipient addresses that were\nincorrectly constructed:\n\n${listed(problem.bad, ': ')}\n${fate}`,
      };
    }
    case 'too many recipients':
      return {
        subject: 'Mail failure - too many recipients',
        text: 'A message that you sent contained more recipients than allowed on this\nsystem. It was not delivered to any recipients.\n',
      };
    case 'too big':
      return {
        subject: 'Mail failure - message too big',
        text: `A message that you sent was longer than the maximum size allowed on this\nsystem. It was not delivered to any recipients.\n\nThe limit is ${problem.limit} octets.\n`,
      };
    case 'bad headers':
      return {
        subject: 'Mail failure - malformed header section',
        text: `A message that you sent could not be accepted: ${problem.message}.\n`,
      };
    case 'refused':
      return {
        subject: 'Mail failure - rejected by local scanning code',
        text: `A message that you sent was rejected by the local policy of this system:\n\n  ${problem.message}\n`,
      };
  }
}

/** Sends the report. `copy` writes the message that was refused. */
export async function sendProblemReport(
  problem: SubmissionProblem,
  recipient: string,
  reference: string | undefined,
  copy: (write: (piece: Buffer) => Promise<void> | undefined) => Promise<void>,
  context: Context,
  runtime: Runtime,
): Promise<SpooledMessage> {
  const { subject, text } = wording(problem);
  return submitReport(
    {
      recipients: [recipient],
      headers: [
        'Auto-Submitted: auto-replied\n',
        `From: ${await reportSender(runtime, context)}\n`,
        `To: ${recipient}\n`,
        `Subject: ${subject}\n`,
      ],
      reference,
      async writeBody(write) {
        const line = '------ This is a copy of your message, including all the headers. ------\n\n';
        await write(Buffer.from(`${text}\n${line}`, 'latin1'));
        await copy(write);
      },
    },
    runtime,
  );
}
