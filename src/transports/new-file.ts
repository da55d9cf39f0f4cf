/** Delivers a message to a new file of its own: maildir, mailstore, or a plain directory (Exim spec 26.4 - 26.9). */

import { setTimeout as sleep } from 'node:timers/promises';
import { base62 } from '../lib/base62.ts';
import * as clock from '../lib/clock.ts';
import { errorCode, errorText } from '../lib/errno.ts';
import { RegexSyntaxError, regex } from '../lib/regex.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, decimal, literal, pathOf, reviewed } from '../safe/taint.ts';
import { directorySize, type MailboxSize } from '../store/mailbox-size.ts';
import { ensureSizeFile, noteInSizeFile } from '../store/maildir-size-file.ts';
import { type AppendfileJob, inodeMark } from './appendfile-job.ts';
import { writeMessage } from './appendfile-writer.ts';
import { checkCreationIn } from './mailbox-checks.ts';
import { systemError } from './mailbox-file.ts';
import { checkQuota, crossedThreshold } from './mailbox-quota.ts';
import { type ContentReader, type DeliveryResult, deferred, errorCodes, type Undelivered } from './transport.ts';

let lastName = 0;

/**
 * Seconds, microseconds and process: a name nobody else uses on this host. With Exim 3 text it is TIME.PID.HOST as it was
 * there; from the second name in one second on, the number of the process is followed by seven digits, which no process
 * has.
 */
function uniqueName({ hostname, dialect }: AppendfileJob): Clean {
  let at = clock.microseconds();
  if (at <= lastName) at = lastName + 1;
  const again = Math.floor(at / 1_000_000) === Math.floor(lastName / 1_000_000);
  lastName = at;
  const [seconds, micro] = [Math.floor(at / 1_000_000), at % 1_000_000];
  if (dialect === 3) {
    const number = again ? process.pid * 10_000_000 + micro : process.pid;
    return concat(decimal(seconds), literal('.'), decimal(number), literal('.'), hostname);
  }
  return concat(
    decimal(seconds),
    literal('.M'),
    decimal(micro),
    literal('P'),
    decimal(process.pid),
    literal('.'),
    hostname,
  );
}

let temporaries = 0;

/** The name under which a file is written in a plain directory: process and host; no two are alike at a time. */
function temporaryName({ hostname }: AppendfileJob): Clean {
  const number = temporaries++;
  const name = concat(literal('temp.'), decimal(process.pid), literal('.'), hostname);
  return number === 0 ? name : concat(name, literal('.'), decimal(number));
}

const maildirParts = [literal('tmp'), literal('new'), literal('cur')];

/** Makes the delivery directory and what a maildir needs in it. */
function makeDirectories(job: AppendfileJob): DeliveryResult | undefined {
  const parts = job.format === 'maildir' ? maildirParts.map((part) => pathOf(job.path, part)) : [];
  // what is delivered to must be there; `cur` is made together with the others
  const needed = job.format === 'maildir' ? parts.slice(0, 2) : [job.path];
  if (needed.every((path) => files.stat(path) !== undefined)) return undefined;
  const missing = files.stat(job.path) === undefined;
  if (missing && !job.createDirectory) {
    const reason = 'No such file or directory';
    return deferred(2, `stat() error for ${job.path}: ${reason}`);
  }
  for (const part of [job.path, ...parts]) files.makeDirectories(part, job.directoryMode);
  return undefined;
}

/** The directory whose files count for the quota. */
function quotaDirectory(job: AppendfileJob): Clean {
  if (job.quota.directory !== undefined) return job.quota.directory;
  const folder = job.format === 'maildir' && files.stat(pathOf(job.path, literal('maildirfolder'))) !== undefined;
  return (folder ? files.parentOf(job.path) : undefined) ?? job.path;
}

/** Whether the size of the mailbox matters at all. */
function usesQuota({ quota }: AppendfileJob): boolean {
  return quota.limit > 0 || quota.fileCount > 0 || quota.warnThreshold > 0 || quota.sizeFile;
}

/** Whether this directory is one that counts: with a size file, some of the folders may be left out. */
function counts(job: AppendfileJob, directory: Clean): boolean {
  if (!job.quota.sizeFile || directory === job.path) return true;
  const folder = job.path.slice(directory.length).replace(/^\/+/, '').split('/')[0] ?? '';
  return regex(job.quota.directoryRegex).test(folder);
}

function mailboxSize(job: AppendfileJob, directory: Clean): MailboxSize {
  const { quota } = job;
  if (quota.sizeFile && job.format === 'maildir') {
    return ensureSizeFile(directory, {
      quota: quota.limit,
      fileCount: quota.fileCount,
      mode: job.mode,
      sizeRegex: quota.sizeRegex,
      directoryRegex: quota.directoryRegex,
    });
  }
  const needed = quota.limit > 0 || quota.fileCount > 0 || quota.warnThreshold > 0;
  const known = { size: quota.knownSize, fileCount: quota.knownFileCount };
  if (!needed || (known.size !== undefined && (known.fileCount !== undefined || quota.fileCount === 0))) {
    return { size: known.size ?? 0, fileCount: known.fileCount ?? 0 };
  }
  const counted = directorySize(directory, quota.sizeRegex);
  return { size: known.size ?? counted.size, fileCount: known.fileCount ?? counted.fileCount };
}

/** Seconds since somebody took something out of, or put something into, the mailbox. */
function sinceRead(job: AppendfileJob): number {
  const directory = job.format === 'maildir' ? pathOf(job.path, literal('new')) : job.path;
  const found = files.stat(directory);
  return found === undefined ? 0 : Math.max(Math.floor((clock.now() - found.mtimeMs) / 1000), 0);
}

export async function deliverToNewFile(job: AppendfileJob, content: ContentReader): Promise<DeliveryResult> {
  const refused = checkCreationIn(job);
  if (refused !== undefined) return refused;
  try {
    const problem = makeDirectories(job);
    if (problem !== undefined) return problem;
    if (job.format === 'maildir') makeFolderMark(job);
  } catch (error) {
    if (error instanceof RegexSyntaxError) {
      const where = `at offset ${error.offset} while compiling ${job.maildirFolderRegex}`;
      return deferred(errorCodes.unknown, `appendfile: regular expression error: ${error.message} ${where}`);
    }
    return systemError(error, `failed to create directories for ${job.path}: ${errorText(error)}`);
  }
  const directory = usesQuota(job) ? quotaDirectory(job) : job.path;
  const counted = usesQuota(job) && counts(job, directory);
  const before = counted ? mailboxSize(job, directory) : { size: 0, fileCount: 0 };
  const temporary = job.format === 'maildir' ? uniqueName(job) : temporaryName(job);
  if (counted) {
    const where = job.format === 'maildir' ? `tmp/${temporary}` : pathOf(job.path, temporary);
    const full = checkQuota(job, before, where, () => sinceRead(job));
    if (full !== undefined) return full;
  }
  if (job.onlyQuota) return { outcome: 'delivered' };
  const result = await forms[job.format === 'file' ? 'directory' : job.format](job, content, temporary);
  if (result.outcome !== 'delivered' || !counted) return result;
  if (job.quota.sizeFile && job.format === 'maildir') noteInSizeFile(directory, result.size, job.mode);
  return {
    outcome: 'delivered',
    warning: crossedThreshold(job, before.size) ? { message: job.warningMessage } : undefined,
  };
}

function makeFolderMark(job: AppendfileJob): void {
  if (job.maildirFolderRegex === undefined || !regex(job.maildirFolderRegex).test(job.path)) return;
  const mark = pathOf(job.path, literal('maildirfolder'));
  if (files.stat(mark) === undefined) files.close(files.open(mark, files.createOrAppend, 0o600));
}

type FormResult = { readonly outcome: 'delivered'; readonly size: number } | Undelivered;
type Form = (job: AppendfileJob, content: ContentReader, name: Clean) => Promise<FormResult>;

/** Writes a file under a temporary name, syncs it, and puts it under its own; nothing is left when that fails. */
async function writeAndMove(
  job: AppendfileJob,
  content: ContentReader,
  temporary: Clean,
  finalName: (file: files.Descriptor, size: number) => Clean,
  move: (from: Clean, to: Clean) => void = files.rename,
): Promise<FormResult> {
  const file = files.open(temporary, files.createNew, job.mode);
  let what = `while writing to ${temporary}`;
  try {
    files.setMode(file, job.mode);
    const size = await writeMessage(job, content, file);
    await files.sync(file);
    const final = finalName(file, size);
    what = `while renaming ${temporary} as ${final}`;
    move(temporary, final);
    await files.syncDirectory(files.parentOf(final) ?? literal('.'));
    return { outcome: 'delivered', size };
  } catch (error) {
    files.removeIfPossible(temporary);
    return systemError(error, what);
  } finally {
    files.close(file);
  }
}

const maildir: Form = async (job, content, firstName) => {
  let name = firstName;
  for (let attempt = 1; files.linkStat(pathOf(job.path, literal('tmp'), name)) !== undefined; attempt++) {
    if (attempt >= job.maildirRetries)
      return deferred(17, `File exists: failed to open ${pathOf(job.path, literal('tmp'), name)} (${attempt} tries)`);
    await sleep(2000);
    name = uniqueName(job);
  }
  return writeAndMove(job, content, pathOf(job.path, literal('tmp'), name), () => {
    const plain = pathOf(job.path, literal('new'), name);
    if (job.maildirTag === undefined) return plain;
    const tagged = concat(plain, job.maildirTag);
    return isTooLong(tagged) ? plain : tagged;
  });
};

function isTooLong(path: Clean): boolean {
  try {
    files.linkStat(path);
    return false;
  } catch (error) {
    return errorCode(error) === 'ENAMETOOLONG';
  }
}

/** A file that has the name already is not to be lost. */
function giveName(from: Clean, to: Clean): void {
  files.makeLink(from, to);
  files.removeIfPossible(from);
}

const directory: Form = (job, content, name) => {
  const temporary = pathOf(job.path, name);
  // one that a process of this number left when it was killed
  files.removeIfPossible(temporary);
  return writeAndMove(
    job,
    content,
    temporary,
    (file) => {
      const { ino } = files.statOpen(file);
      const standard = `q${base62(clock.seconds(), 6)}-${ino}`;
      const chosen =
        job.directoryFile === undefined ? standard : job.directoryFile.replaceAll(String(inodeMark), String(ino));
      return pathOf(job.path, reviewed(chosen, 'expanded by the delivering process, without a slash, and a number'));
    },
    giveName,
  );
};

const mailstore: Form = async (job, content) => {
  const base = pathOf(job.path, job.mailstoreName);
  const temporary = concat(base, literal('.tmp'));
  const envelope = files.open(temporary, files.createNew, job.mode);
  try {
    files.setMode(envelope, job.mode);
    files.write(envelope, job.mailstoreEnvelope);
    await files.sync(envelope);
  } finally {
    files.close(envelope);
  }
  const message = concat(base, literal('.msg'));
  const result = await writeAndMove(job, content, message, () => message);
  if (result.outcome === 'delivered') files.rename(temporary, concat(base, literal('.env')));
  else files.removeIfPossible(temporary);
  return result;
};

const forms: Readonly<Record<'maildir' | 'mailstore' | 'directory', Form>> = { maildir, mailstore, directory };
