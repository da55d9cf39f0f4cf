/** Several queues on one spool, and messages that go from one to another. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { TestQueue } from '../mta/test-queue.ts';
import * as files from '../safe/files.ts';
import { literal, type QueueId } from '../safe/taint.ts';
import { NotMoved } from './move-files.ts';
import type { Spool } from './spool.ts';
import type { SpooledMessage } from './spooled-message.ts';

const one = '1aaaaa-000001-00';

let queue: TestQueue;
let spool: Spool;
beforeEach(async () => {
  queue = await TestQueue.make();
  spool = queue.runtime.spool;
});
afterEach(() => queue.remove());

function open(from: Spool, id: QueueId): SpooledMessage {
  const result = from.open(id);
  assert.ok(result.outcome === 'open', result.outcome);
  return result.message;
}

it('A queue sees its own messages only', async () => {
  const id = queue.add(one);
  const slow = spool.named(literal('slow'));
  assert.deepEqual([spool.count(), slow.count()], [1, 0]);
  await open(spool, id).moveTo(slow.queue);
  assert.deepEqual([spool.count(), slow.count()], [0, 1]);
  assert.equal(slow.read(id)?.sender, 'ann@h.test');
  assert.equal(open(slow, id).queue, 'slow');
  assert.deepEqual(spool.open(id), { outcome: 'gone' });
});

it('What a delivery that broke off has done goes along with the message', async () => {
  const id = queue.add(one, { recipients: [{ address: 'bob@h.test' }, { address: 'eve@h.test' }] });
  queue.write(one, '-J', 'bob@h.test\n');
  await open(spool, id).moveTo(literal('slow'));
  assert.deepEqual([...(spool.named(literal('slow')).read(id)?.nonRecipients ?? [])], ['bob@h.test']);
  assert.equal(files.stat(queue.path(one, '-J')), undefined);
});

it('A move that was cut off before the -H file changed its place is done by the next', async () => {
  const id = queue.add(one);
  const slow = spool.named(literal('slow'));
  const body = slow.newPath(literal('input'), id, literal('-D'));
  slow.makeParent(body);
  files.makeLink(queue.path(one, '-D'), body);
  assert.deepEqual([spool.count(), slow.count()], [1, 0]);
  await open(spool, id).moveTo(slow.queue);
  assert.deepEqual([spool.count(), slow.count()], [0, 1]);
});

it('What moves that were cut off leave is removed when it is old, in every queue, and the message stays', async () => {
  const id = queue.add(one);
  const slow = spool.named(literal('slow'));
  const leftover = slow.newPath(literal('input'), id, literal('-D'));
  slow.makeParent(leftover);
  files.makeLink(queue.path(one, '-D'), leftover);
  await spool.tidy(Date.now() + 48 * 3600_000);
  assert.equal(files.stat(leftover), undefined);
  assert.equal(open(spool, id).envelope.sender, 'ann@h.test');
  assert.deepEqual(
    [...spool.queues()].map((each) => each.queue),
    ['', 'slow'],
  );
});

it('A message that is locked under its old name is locked under its new one', async () => {
  const id = queue.add(one);
  const slow = spool.named(literal('slow'));
  const message = open(spool, id);
  const body = slow.newPath(literal('input'), id, literal('-D'));
  slow.makeParent(body);
  files.makeLink(queue.path(one, '-D'), body);
  assert.equal(slow.open(id).outcome, 'locked');
  message.release();
});

it('A message is not moved to where one of its name is, nor to its own queue', async () => {
  const id = queue.add(one);
  await assert.rejects(open(spool, id).moveTo(literal('')), NotMoved);
  await open(spool, id).moveTo(literal('slow'));
  queue.add(one);
  await assert.rejects(open(spool, id).moveTo(literal('slow')), NotMoved);
  assert.deepEqual([spool.count(), spool.named(literal('slow')).count()], [1, 1]);
});

it('A message that is being received may change its queue until it is committed', async () => {
  const message = spool.begin();
  await message.write(Buffer.alloc(100 * 1024, 'x\n'));
  message.chooseQueue(literal('slow'));
  const { id } = message;
  const envelope = { ...queue.runtime.spool.read(queue.add(one)), id };
  const kept = await message.commit(envelope as SpooledMessage['envelope']);
  assert.equal(kept.queue, 'slow');
  assert.equal(kept.body.size, 100 * 1024);
  kept.release();
  assert.deepEqual([...spool.named(literal('slow')).ids()], [id]);
  assert.equal(spool.existingPath(literal('input'), id, literal('-D')), undefined);
});
