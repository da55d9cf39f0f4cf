/** Carries a job of the appendfile transport out. */

import type { AppendfileJob } from './appendfile-job.ts';
import { tellComsat } from './comsat.ts';
import { appendToMailbox } from './mailbox-file.ts';
import { deliverToNewFile } from './new-file.ts';
import type { ContentReader, DeliveryResult } from './transport.ts';

export async function performAppendfile(job: AppendfileJob, content: ContentReader): Promise<DeliveryResult> {
  if (job.format === 'file') return appendToMailbox(job, content);
  const result = await deliverToNewFile(job, content);
  if (result.outcome === 'delivered' && job.comsatUser !== '' && !job.onlyQuota) await tellComsat(job.comsatUser, -1);
  return result;
}
