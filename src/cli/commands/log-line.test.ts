/** `-z` writes to the log. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestQueue } from '../../mta/test-queue.ts';
import { logLineCommand } from './log-line.ts';
import { ordinaryCaller, runCommand } from './test-call.ts';

describe('-z', () => {
  it("writes an administrator's line to the main log, and nobody else's", async () => {
    const queue = await TestQueue.make();
    try {
      assert.deepEqual((await runCommand(logLineCommand, ['-z', 'two words', 'x'], queue)).log, ['two words']);
      const refused = await runCommand(logLineCommand, ['-z', 'foo'], queue, ordinaryCaller(4711));
      assert.deepEqual(refused, { status: 1, out: '', error: '', log: [] });
    } finally {
      queue.remove();
    }
  });
});
