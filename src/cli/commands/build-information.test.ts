/** The lists of `-bI:…`, in the words that other programs search for. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TestQueue } from '../../mta/test-queue.ts';
import { buildInformationCommand } from './build-information.ts';
import { type Outcome, runCommand } from './test-call.ts';

describe('-bI', () => {
  let queue: TestQueue;
  before(async () => {
    queue = await TestQueue.make();
  });
  after(() => queue.remove());
  const ask = (what: string): Promise<Outcome> => runCommand(buildInformationCommand, [`-bI:${what}`], queue);

  it('lists sorted names, one per line', async () => {
    for (const [what, count] of [
      ['dscp', 18],
      ['sieve', 8],
    ] as const) {
      const names = (await ask(what)).out.split('\n').slice(0, -1);
      assert.equal(names.length, count);
      assert.deepEqual([...names].sort(), names);
    }
  });

  it('explains itself, on standard error for what it does not know', async () => {
    const { out } = await ask('HELP');
    assert.match(out, /^The -bI: flag takes a string indicating which information to provide\.\n/);
    assert.deepEqual(await ask('foo'), { status: 1, out: '', error: out, log: [] });
  });
});
