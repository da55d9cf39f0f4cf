/** Whether a message that has just come in is left for a queue run (Exim spec 14: queue_only*, smtp_accept_queue*). */

import { loadReason, queuedByAcl, queueFile } from '../queue-only.ts';
import type { Reception } from './reception.ts';

export async function queuesOnly(reception: Reception, id: string): Promise<boolean> {
  const { runtime, acls, accepted, client } = reception;
  const { main } = runtime.config;
  const { smtp_accept_queue_per_connection: most } = main;
  if (acls.requests.controls.queueOnly) {
    runtime.logs.main(queuedByAcl, id);
    return true;
  }
  if (main.queue_only || queueFile(main) !== undefined) return true;
  if (client.queues) return true;
  if (most > 0 && accepted > most && !client.isBatch) {
    runtime.logs.main(`no immediate delivery: more than ${most} messages received in one connection`, id);
    return true;
  }
  const reason = (main.queue_only_load_latch ? reception.loadWas : undefined) ?? loadReason(main);
  reception.loadWas = reason;
  if (reason !== undefined) runtime.logs.main(reason, id);
  return reason !== undefined;
}
