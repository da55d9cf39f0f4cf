/** Where an appendfile transport keeps mail, and how it is locked: for those who deliver and for those who read (Exim spec 26). */

import type { Context } from '../expand/context.ts';
import type { OptionsOf } from '../options/table.ts';
import { type Clean, clean, reviewed, type Text } from '../safe/taint.ts';
import type { LockRules } from '../store/mailbox-lock.ts';
import type { AppendfileJob } from './appendfile-job.ts';
import type { appendfileOptions } from './appendfile-options.ts';
import { expandPath, give } from './expanding.ts';

export type AppendfileOptions = OptionsOf<typeof appendfileOptions>;

export type Target = Pick<AppendfileJob, 'format' | 'path'>;

export interface TargetRequest {
  /** Name of the transport instance. */
  readonly transport: string;
  readonly context: Context;
  /** What redirection named. */
  readonly file: Text | undefined;
}

const notAbsolute = -21;

/** Where messages go, and in which form. @throws Unprepared */
export async function mailboxTarget(
  options: AppendfileOptions,
  { transport, context, file }: TargetRequest,
): Promise<Target> {
  const what = `file or directory name for ${transport} transport`;
  const asDirectory = options.maildir_format ? 'maildir' : options.mailstore_format ? 'mailstore' : 'directory';
  const needed = (['maildir_format', 'mailstore_format'] as const).find((name) => options[name]);
  if (options.file !== undefined && needed !== undefined) {
    return give(`${needed} requires "directory" to be specified for the ${transport} transport`);
  }
  if (options.file !== undefined) return absolute('file', await expandPath(options.file, what, context));
  if (options.directory !== undefined) {
    return absolute(asDirectory, await expandPath(options.directory, what, context));
  }
  if (file === undefined) return give(`Mandatory file or directory option missing from ${transport} transport`);
  const path = clean(file);
  if (path === undefined) return give(`Tainted '${file.value}' (${what}) not permitted`);
  const whole = path.endsWith('/') || options.maildir_format || options.mailstore_format;
  return absolute(whole ? asDirectory : 'file', path);
}

function absolute(format: AppendfileJob['format'], path: Clean): Target {
  if (!path.startsWith('/')) return give(`appendfile: file or directory name "${path}" is not absolute`, notAbsolute);
  const trimmed =
    format === 'file' || path === '/' ? path : reviewed(path.replace(/\/+$/, ''), 'a clean path, shortened');
  return { format, path: trimmed };
}

/** The locking options have defaults that depend on each other. */
export function lockRules(options: AppendfileOptions, set: ReadonlySet<string>): LockRules {
  const mentioned = ['use_lockfile', 'use_fcntl_lock', 'use_flock_lock', 'use_mbx_lock'].some((name) => set.has(name));
  const mbx = options.use_mbx_lock || (options.mbx_format && !mentioned);
  return {
    lockFile: set.has('use_lockfile') ? options.use_lockfile : !mbx,
    lockFileMode: options.lockfile_mode,
    lockFileTimeout: options.lockfile_timeout,
    fcntl: set.has('use_fcntl_lock') ? options.use_fcntl_lock : !options.use_flock_lock,
    flock: options.use_flock_lock,
    mbx,
    retries: options.lock_retries,
    interval: options.lock_interval,
    fcntlTimeout: options.lock_fcntl_timeout,
    flockTimeout: options.lock_flock_timeout,
  };
}
