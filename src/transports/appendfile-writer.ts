/** Writes one message in the form that a job asks for. */

import * as files from '../safe/files.ts';
import type { AppendfileJob } from './appendfile-job.ts';
import { copyContent } from './content.ts';
import type { ContentReader } from './transport.ts';

/** Writes to an open file; answers how many octets were written. */
export async function writeMessage(
  job: AppendfileJob,
  content: ContentReader,
  file: files.Descriptor,
): Promise<number> {
  let written = 0;
  const put = (chunk: Buffer): Promise<void> | undefined => {
    written += chunk.length;
    if (content.size > 256 * 1024) return files.writeLater(file, Buffer.from(chunk));
    files.write(file, chunk);
    return undefined;
  };
  if (job.prefix !== '') await put(Buffer.from(job.prefix, 'latin1'));
  const escape =
    job.check === '' ? undefined : { check: Buffer.from(job.check, 'latin1'), by: Buffer.from(job.escape, 'latin1') };
  const { headers, body, crlf, escapesHeaders } = job;
  const whole = await copyContent(content, { headers, body, crlf, escape, escapesHeaders }, (chunk) => put(chunk));
  if (!whole && job.suffix !== '') await put(Buffer.from('\n'));
  if (job.suffix !== '') await put(Buffer.from(job.suffix, 'latin1'));
  return written;
}
