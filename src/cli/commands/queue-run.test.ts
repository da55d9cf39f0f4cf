/** The words of `-q`, `-R` and `-S`, and who may use them; what a run does is tested with the runner itself. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestQueue } from '../../mta/test-queue.ts';
import type { Caller } from '../caller.ts';
import { queueRunCommand } from './queue-run.ts';
import { type Outcome, ordinaryCaller, runCommand } from './test-call.ts';

const one = '1aaaaa-000001-00';
const two = '1aaaab-00000000001-0000';

describe('a queue run from the command line', () => {
  let queue: TestQueue;
  beforeEach(async () => {
    queue = await TestQueue.make();
    queue.add(one);
    queue.add(two, { sender: '' });
  });
  afterEach(() => queue.remove());
  const run = (words: readonly string[], caller?: Caller): Promise<Outcome> =>
    runCommand(queueRunCommand, words, queue, caller);

  it('is done when the command ends', async () => {
    const { status, out, error, log } = await run(['-qff']);
    assert.deepEqual([status, out, error], [0, '', '']);
    assert.equal(log[0], 'Start queue run: pid=N -qff');
    assert.deepEqual(queue.ids, []);
  });

  it('takes a first and a last id, and no other words', async () => {
    const complaint = async (...words: string[]): Promise<string> => {
      const { status, error } = await run(words);
      assert.equal(status, 1);
      return error;
    };
    assert.equal(await complaint('-q', 'abc'), 'exim: bad time value abc: abandoned\n');
    const incompatible = 'exim: incompatible command-line options or arguments\n';
    assert.equal(await complaint('-q', one, 'zzz'), incompatible);
    assert.equal(await complaint('-q', one, two, two), incompatible);
    assert.equal(await complaint('-R', 'x', one), incompatible);
    assert.equal((await run(['-q', two, two])).status, 0);
    assert.deepEqual(queue.ids, [one]);
  });

  it('shows with -v which message is next', async () => {
    assert.equal((await run(['-v', '-S', 'ann'])).error, `delivering ${one} (queue run pid ${process.pid})\n`);
  });

  it('fails when a selection is no regular expression', async () => {
    assert.equal((await run(['-Sr', '('])).status, 1);
  });

  it('is for administrators, unless prod_requires_admin is false; throwing mail away with -N never is', async () => {
    assert.equal((await run(['-q'], ordinaryCaller(4711))).error, 'exim: permission denied\n');
    queue.remove();
    queue = await TestQueue.make('prod_requires_admin = false');
    assert.equal((await run(['-N', '-q'], ordinaryCaller(4711))).error, 'exim: Permission denied\n');
    assert.equal((await run(['-q'], ordinaryCaller(4711))).status, 0);
  });
});
