/**
 * The two jobs of an automatic answer (Exim spec 27), done with the rights of the delivery's user: the message is put
 * together from what may need those rights (the file of `once`, the `file` with text, the filter), and, when it is on the
 * queue, that is noted. Whoever runs the delivery submits the message in between.
 */

import { errorNumber, errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { type Clean, pathOf } from '../safe/taint.ts';
import { type OnceFile, timeSent, writeSent } from './autoreply-once.ts';
import { FilterFailure, filteredSource } from './filtered-content.ts';
import { messageSource } from './message-source.ts';
import { type ContentReader, type DeliveryResult, deferred, type Job, type ReplyPart } from './transport.ts';

export interface AutoreplyJob extends Job {
  readonly driver: 'autoreply';
  readonly transport: string;
  readonly step: 'compose' | 'note';
  /** The expanded To:, by which `once` knows who got an answer. */
  readonly to: string | undefined;
  readonly once: OnceFile | undefined;
  /** Seconds since 1970. */
  readonly now: number;
  /** Where names of files that are not absolute begin. */
  readonly directory: Clean;
  /** Header lines, the blank line and the `text`. */
  readonly head: string;
  readonly file:
    | { readonly path: Clean; readonly optional: boolean; readonly expand: boolean; readonly ofFilter: boolean }
    | undefined;
  readonly copy: CopyRules | undefined;
  readonly log:
    | { readonly path: Clean; readonly mode: number; readonly stamp: string; readonly entry: string }
    | undefined;
  /** For the panic log: why there is no log file. */
  readonly complaint: string | undefined;
}

/** How the message that is answered is sent along (`return_message`). */
export interface CopyRules {
  /** What is said above it. */
  readonly introduction: string;
  readonly headers: boolean;
  readonly body: boolean;
  /** Octets of the body; 0 for all. */
  readonly limit: number;
}

/** The text of an answer that one file may give. */
const longestFile = 16 * 1024 * 1024;

export async function runAutoreply(job: AutoreplyJob, content: ContentReader): Promise<DeliveryResult> {
  return job.step === 'compose' ? compose(job, content) : note(job);
}

function failedToOpen(job: AutoreplyJob, what: string, error: unknown): DeliveryResult {
  return deferred(
    errorNumber(error),
    `Failed to open ${what} when sending message from ${job.transport} transport: ${errorText(error)}`,
  );
}

async function compose(job: AutoreplyJob, content: ContentReader): Promise<DeliveryResult> {
  const { once, to } = job;
  if (once !== undefined && to !== undefined) {
    let sent: number | undefined;
    try {
      sent = timeSent({ ...once, path: placeOf(job, once.path) }, to);
    } catch (error) {
      return failedToOpen(job, `"once" file ${once.path}`, error);
    }
    if (sent !== undefined && (once.repeat === 0 || job.now - sent < once.repeat)) {
      writeLog(job, `  previously sent to ${to}\n`);
      return { outcome: 'delivered' };
    }
  }
  const parts: ReplyPart[] = [{ text: job.head }];
  if (job.file !== undefined) {
    try {
      parts.push(readPart(placeOf(job, job.file.path), job.file));
    } catch (error) {
      if (!job.file.optional) return failedToOpen(job, `file ${job.file.path}`, error);
    }
  }
  if (job.copy !== undefined)
    parts.push({ text: `\n${job.copy.introduction}\n` }, await copyOf(job, job.copy, content));
  const then: AutoreplyJob = { ...job, step: 'note', head: '', file: undefined, copy: undefined };
  return { outcome: 'delivered', reply: { parts, then, complaint: job.complaint } };
}

/** Where a file is that an option names. */
function placeOf({ directory }: AutoreplyJob, path: Clean): Clean {
  return path === '' || path.startsWith('/') ? path : pathOf(directory, path);
}

function readPart(path: Clean, { expand, ofFilter }: NonNullable<AutoreplyJob['file']>): ReplyPart {
  const file = files.open(path);
  try {
    const { size, uid, mode } = files.statOpen(file);
    if (size > longestFile) throw Object.assign(new Error(`${path} is too large`), { code: 'EFBIG' });
    const buffer = Buffer.alloc(size);
    const text = buffer.toString('latin1', 0, files.readAt(file, buffer, 0));
    return expand ? { text, expand: { path, owner: uid, mode, ofFilter } } : { text };
  } finally {
    files.close(file);
  }
}

/** The message that is answered. A filter that fails takes its part away, as in Exim; the answer is sent all the same. */
async function copyOf(job: AutoreplyJob, rules: CopyRules, content: ContentReader): Promise<ReplyPart> {
  const limited = rules.limit > 0 ? limitedContent(content, rules.limit) : content;
  const shape = { headers_only: !rules.body, body_only: !rules.headers };
  const filtered = job.filter === undefined ? undefined : filteredSource(job.filter, limited);
  const source = filtered ?? messageSource(limited, shape);
  const pieces: Buffer[] = [];
  try {
    for (let piece = await source.read(); piece !== undefined; piece = await source.read()) pieces.push(piece);
  } catch (error) {
    if (!(error instanceof FilterFailure)) throw error;
  } finally {
    filtered?.close();
  }
  return { text: Buffer.concat(pieces).toString('latin1') };
}

/** The same message, as if its body ended sooner. */
function limitedContent(content: ContentReader, limit: number): ContentReader {
  const size = Math.min(content.size, limit);
  let left = size;
  return {
    headers: content.headers,
    size,
    read(buffer) {
      if (left === 0) return 0;
      const read = content.read(buffer.subarray(0, left));
      const count = (octets: number): number => {
        left -= octets;
        return octets;
      };
      return typeof read === 'number' ? count(read) : read.then(count);
    },
  };
}

function note(job: AutoreplyJob): DeliveryResult {
  const { once, to } = job;
  if (once !== undefined && to !== undefined) writeSent({ ...once, path: placeOf(job, once.path) }, to, job.now);
  writeLog(job, job.log?.entry ?? '');
  return { outcome: 'delivered' };
}

/** Adds to the log file. That it cannot be written stops no answer. */
function writeLog(job: AutoreplyJob, entry: string): void {
  const { log } = job;
  if (log === undefined) return;
  try {
    const file = files.open(placeOf(job, log.path), files.createOrAppend, log.mode);
    try {
      files.write(file, `${log.stamp}\n${entry}`);
    } finally {
      files.close(file);
    }
  } catch {
    // nobody waits for it
  }
}
