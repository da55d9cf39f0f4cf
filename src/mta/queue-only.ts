/** What keeps new messages from being delivered at once: a file that is there, a system that is busy (Exim spec 14, queue_only*). */

import { loadavg } from 'node:os';
import type { Config } from '../config/config.ts';
import * as files from '../safe/files.ts';
import { reviewed } from '../safe/taint.ts';

/** `all`: messages are only queued. `smtp`: only what goes to other hosts waits. */
export type QueueFile = 'all' | 'smtp' | undefined;

/** What the files of queue_only_file that are there ask for. */
export function queueFile({ queue_only_file: list }: Config['main']): QueueFile {
  const found = new Set<QueueFile>();
  for (const item of list?.split(':') ?? []) {
    const [, smtp, name = ''] = /^[ \t]*(smtp)?(\/.*?)[ \t]*$/.exec(item) ?? [];
    if (name !== '' && files.stat(reviewed(name, 'from the configuration')) !== undefined)
      found.add(smtp ? 'smtp' : 'all');
  }
  return found.has('all') ? 'all' : found.has('smtp') ? 'smtp' : undefined;
}

/** The line for the log when an ACL said `control = queue_only`. */
export const queuedByAcl = 'no immediate delivery: queued by ACL';

/** The line for the log when the load is above queue_only_load. */
export function loadReason({ queue_only_load: limit }: Config['main']): string | undefined {
  if (limit === undefined || limit < 0) return undefined;
  const [load = 0] = loadavg();
  return load * 1000 > limit ? `no immediate delivery: load average ${load.toFixed(2)}` : undefined;
}
