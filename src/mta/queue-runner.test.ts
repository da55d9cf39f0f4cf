/** Which messages a queue run takes, and what it says in the log; the lines are those of Exim. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as files from '../safe/files.ts';
import { BadSelection, describeRun, type QueueRun, runQueue, tooBusy } from './queue-runner.ts';
import { TestQueue } from './test-queue.ts';

const plain: QueueRun = {
  twoStages: false,
  firstDeliveriesOnly: false,
  force: false,
  forceFrozen: false,
  localOnly: false,
  recipient: undefined,
  sender: undefined,
};

const text = (wanted: string) => ({ text: wanted, isRegex: false });
const expression = (wanted: string) => ({ text: wanted, isRegex: true });

const one = '1aaaaa-000001-00';
const two = '1aaaab-000001-00';
const three = '1aaaac-00000000001-0000';
const four = '1aaaad-000001-00';

describe('the log of a queue run', () => {
  it('names the options as Exim does, in its order', () => {
    const shown = (run: Partial<QueueRun>): string => describeRun({ ...plain, ...run });
    assert.equal(shown({}), '');
    assert.equal(shown({ force: true }), ' -qf');
    assert.equal(shown({ force: true, forceFrozen: true }), ' -qff');
    assert.equal(
      shown({ twoStages: true, firstDeliveriesOnly: true, force: true, forceFrozen: true, localOnly: true }),
      ' -qqiffl',
    );
    assert.equal(shown({ recipient: text('x.test') }), ' -R x.test');
    assert.equal(shown({ force: true, recipient: expression('^a'), sender: text('b c') }), ' -qf -Rr ^a -S b c');
  });
});

describe('a queue run', () => {
  let queue: TestQueue;
  beforeEach(async () => {
    queue = await TestQueue.make('queue_run_in_order');
  });
  afterEach(() => queue.remove());

  const run = async (more: Partial<QueueRun>): Promise<string[]> => {
    await runQueue({ ...plain, ...more }, queue.tools);
    return queue.takeLog();
  };
  const vanished = (id: string, address = 'bob@h.test'): string[] => [
    `${id} => :blackhole: <${address}> R=vanishing`,
    `${id} Completed`,
  ];

  it('takes all messages in the order of arrival, of both forms of ids', async () => {
    for (const id of [three, one, two]) queue.add(id);
    assert.deepEqual(await run({}), [
      'Start queue run: pid=N',
      ...[one, two, three].flatMap((id) => vanished(id)),
      'End queue run: pid=N',
    ]);
    assert.deepEqual(queue.ids, []);
  });

  it('takes those between two ids', async () => {
    for (const id of [one, two, three]) queue.add(id);
    await run({ firstId: two, lastId: two });
    assert.deepEqual(queue.ids, [one, three]);
    await run({ firstId: two });
    assert.deepEqual(queue.ids, [one]);
  });

  it('selects by recipients that are not done, and by senders, whatever the case', async () => {
    queue.add(one, { recipients: [{ address: 'Bob@X.test' }] });
    queue.add(two, { recipients: [{ address: 'bob@x.test' }], sender: '' });
    queue.add(three, {
      recipients: [{ address: 'bob@X.test' }, { address: 'later@h.test' }],
      nonRecipients: new Set(['bob@x.test']),
    });
    assert.deepEqual(await run({ recipient: text('x.TEST'), sender: text('ANN') }), [
      'Start queue run: pid=N -R x.TEST -S ANN',
      ...vanished(one, 'Bob@X.test'),
      'End queue run: pid=N -R x.TEST -S ANN',
    ]);
    await run({ sender: expression('^$') });
    assert.deepEqual(queue.ids, [three]);
    assert.equal((await run({ recipient: text('') })).length, 2);
    assert.equal((await run({ recipient: expression('^LATER@') })).length, 3);
  });

  it('forces the first message that is selected, and no other', async () => {
    for (const id of [one, two]) queue.add(id, { recipients: [{ address: 'later@h.test' }] });
    const waiting = (id: string) => `${id} == later@h.test routing defer (-52): retry time not reached`;
    const tried = (id: string) => `${id} == later@h.test R=later defer (-1): not now`;
    assert.deepEqual((await run({})).slice(1, -1), [tried(one), waiting(two)]);
    assert.deepEqual((await run({ recipient: text('later') })).slice(1, -1), [tried(one), waiting(two)]);
    assert.deepEqual((await run({ force: true })).slice(1, -1), [tried(one), tried(two)]);
  });

  it('takes only new messages with -qi, and in the second stage of -qqi all', async () => {
    queue.add(one, { facts: {}, recipients: [{ address: 'later@h.test' }] });
    queue.add(two);
    assert.deepEqual((await run({ firstDeliveriesOnly: true })).slice(1, -1), vanished(two));
    queue.add(two);
    assert.deepEqual((await run({ firstDeliveriesOnly: true, twoStages: true })).slice(1, -1), [
      ...vanished(two),
      `${one} == later@h.test R=later defer (-1): not now`,
    ]);
  });

  it('leaves frozen messages alone unless it is told to take them', async () => {
    queue.add(one, { facts: { frozen: 1_000_000_000 } });
    assert.deepEqual((await run({ force: true })).slice(1, -1), [`${one} Message is frozen`]);
    assert.deepEqual((await run({ recipient: text('nobody') })).slice(1, -1), ['Message is frozen']);
    assert.deepEqual((await run({ force: true, forceFrozen: true })).slice(1, -1), [
      `${one} Unfrozen by forced delivery`,
      ...vanished(one),
    ]);
  });

  it('tells of damaged and locked messages, and goes on', async () => {
    queue.write(one, '-D', `${one}-D\n`);
    queue.write(one, '-H', 'rubbish\n');
    queue.add(two);
    files.remove(queue.path(two, '-D'));
    queue.add(three);
    const locked = queue.runtime.spool.open(queue.add(four));
    assert.deepEqual((await run({ recipient: text('nobody') })).slice(1, -1), []);
    assert.deepEqual((await run({})).slice(1, -1), [
      `${one} Format error in spool file ${one}-H: size=8`,
      `${one} Message removed because older than 4d`,
      ...vanished(three),
      `${four} Spool file for ${four} is locked (another process is handling this message)`,
    ]);
    if (locked.outcome === 'open') locked.message.release();
  });

  it('stops between two messages when it is told to', async () => {
    queue.add(one);
    queue.add(two);
    const controller = new AbortController();
    await runQueue(plain, { ...queue.tools, begun: () => controller.abort() }, controller.signal);
    assert.deepEqual(queue.takeLog().slice(1), [...vanished(one), 'End queue run: pid=N']);
    assert.deepEqual(queue.ids, [two]);
  });

  it('hands nothing over with -N, which sticks to messages that stay', async () => {
    const id = queue.add(one, { recipients: [{ address: 'later@h.test' }] });
    await run({ dontDeliver: true });
    assert.equal(queue.runtime.spool.read(id)?.facts.dontDeliver, true);
  });

  it('refuses a selection that is no regular expression, in the panic log too', async () => {
    await assert.rejects(run({ recipient: expression('(') }), BadSelection);
    assert.equal(
      queue.takeLog()[1],
      'regular expression error: missing closing parenthesis at offset 1 while compiling (',
    );
  });
});

describe('the load that ends a queue run', () => {
  it('is more than deliver_queue_load_max, which is in thousandths', () => {
    assert.equal(tooBusy(undefined, 99), undefined);
    assert.equal(tooBusy(1500, 1.5), undefined);
    assert.equal(tooBusy(1500, 1.504), '(load 1.50, max 1.50)');
    assert.equal(tooBusy(0, 0.13), '(load 0.13, max 0.00)');
  });
});
