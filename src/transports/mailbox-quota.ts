/** Whether a message may still go into a mailbox, and whether its owner is to be warned (Exim spec 26.2, quota). */

import type { MailboxSize } from '../store/mailbox-size.ts';
import type { AppendfileJob } from './appendfile-job.ts';
import { type DeliveryResult, deferred, errorCodes } from './transport.ts';

/** Refuses a message that the mailbox has no room for. `where` names the file in the log. */
export function checkQuota(
  job: AppendfileJob,
  mailbox: MailboxSize,
  where: string,
  secondsSinceRead: () => number,
): DeliveryResult | undefined {
  const { quota, messageSize } = job;
  const refuse = (kind: string): DeliveryResult =>
    deferred(errorCodes.quota, `mailbox is full (MTA-imposed ${kind}quota exceeded while writing to ${where})`, {
      publicMessage: 'mailbox is full',
      detail: secondsSinceRead(),
    });
  const count = mailbox.fileCount + (quota.inclusive ? 1 : 0);
  if (quota.fileCount > 0 && quota.fileCountIsChecked && count > quota.fileCount) return refuse('filecount ');
  const size = mailbox.size + (quota.inclusive ? messageSize : 0);
  if (quota.limit > 0 && quota.limitIsChecked && size > quota.limit) return refuse('');
  return undefined;
}

/** Whether this delivery took the mailbox over the threshold: by what was written, which is more than the message. */
export function crossedThreshold(job: AppendfileJob, before: number, written = job.messageSize): boolean {
  const { warnThreshold } = job.quota;
  return warnThreshold > 0 && before <= warnThreshold && before + written > warnThreshold;
}
