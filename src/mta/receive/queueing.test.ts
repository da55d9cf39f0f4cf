/** queue_only_load_latch: what a load that was too high once means for the rest of a session (Exim spec 14). */

import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { idOf, TestQueue } from '../test-queue.ts';
import { queuesOnly } from './queueing.ts';
import type { Reception } from './reception.ts';

const id = idOf('1aaaaa-000001-00');
const earlier = 'no immediate delivery: load average 9.00';

let queue: TestQueue | undefined;
afterEach(() => queue?.remove());

/** Whether a second message is queued when the load was too high at the first and is not any more. */
async function second(settings: string): Promise<{ queued: boolean; log: string[]; loadWas: string | undefined }> {
  queue = await TestQueue.make(`queue_only_load = 1000000\n${settings}`);
  const session = {
    runtime: queue.runtime,
    acls: { requests: { controls: { queueOnly: false } } },
    accepted: 2,
    client: { isBatch: false },
    loadWas: earlier as string | undefined,
  };
  const queued = await queuesOnly(session as unknown as Reception, id);
  return { queued, log: queue.takeLog(), loadWas: session.loadWas };
}

it('By standard the messages behind one that was queued for the load are queued, too', async () => {
  assert.deepEqual(await second(''), { queued: true, log: [`${id} ${earlier}`], loadWas: earlier });
});

it('Without queue_only_load_latch the load is looked at for each message', async () => {
  assert.deepEqual(await second('queue_only_load_latch = false'), { queued: false, log: [], loadWas: undefined });
});
