/** Whether a message that has just come in is left for a queue run (Exim spec 14: queue_only*, smtp_accept_queue*). */

import { loadavg } from 'node:os';
import * as files from '../../safe/files.ts';
import { reviewed } from '../../safe/taint.ts';
import type { Reception } from './reception.ts';

/** Why it is, as the log says; empty when it needs no word. */
type Reason = string | undefined;

function loadReason(limit: number | undefined): Reason {
  if (limit === undefined || limit < 0) return undefined;
  const load = loadavg()[0] ?? 0;
  return load * 1000 > limit ? `no immediate delivery: load average too high` : undefined;
}

export async function queuesOnly(reception: Reception, id: string): Promise<boolean> {
  const { runtime, acls, accepted, client } = reception;
  const { main } = runtime.config;
  const { smtp_accept_queue_per_connection: most, queue_only_file: files } = main;
  if (acls.requests.controls.queueOnly || main.queue_only || hasQueueFile(files)) return true;
  if (most > 0 && accepted > most && !client.isBatch) {
    runtime.logs.main(`no immediate delivery: more than ${most} messages received in one connection`, id);
    return true;
  }
  const reason = loadReason(main.queue_only_load);
  if (reason !== undefined) runtime.logs.main(reason, id);
  return reason !== undefined;
}

/** Whether one of the files of queue_only_file is there. */
function hasQueueFile(list: string | undefined): boolean {
  if (list === undefined) return false;
  return list
    .split(':')
    .map((item) => item.replace(/^[ \t]*(?:smtp)?/, '').replace(/[ \t]+$/, ''))
    .some((name) => name.startsWith('/') && files.stat(reviewed(name, 'from the configuration')) !== undefined);
}
