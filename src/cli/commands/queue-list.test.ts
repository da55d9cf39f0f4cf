/** The listing of the queue, as Exim writes it. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as clock from '../../lib/clock.ts';
import { TestQueue } from '../../mta/test-queue.ts';
import * as files from '../../safe/files.ts';
import { countQueueCommand, formatAge, formatMessageSize, listQueueCommand } from './queue-list.ts';
import { ordinaryCaller, runCommand } from './test-call.ts';

const one = '1aaaaa-000001-00';
const two = '1aaaab-00000000001-0000';

describe('the age of a message', () => {
  it('is in minutes up to 90, then in hours up to 72, then in days', () => {
    const ages: readonly (readonly [number, string])[] = [
      [0, ' 0m'],
      [59, ' 0m'],
      [60, ' 1m'],
      [5459, '90m'],
      [5460, ' 2h'],
      [86_399, '24h'],
      [129_600, '36h'],
      [259_200, '72h'],
      [261_000, ' 3d'],
      [345_600, ' 4d'],
      [8_640_000, '100d'],
      [86_400_000, '1000d'],
      [-100, '-1m'],
    ];
    for (const [seconds, shown] of ages) assert.equal(formatAge(seconds), shown);
  });
});

describe('the size of a message', () => {
  it('takes five characters', () => {
    const sizes: readonly (readonly [number, string])[] = [
      [14, '   14'],
      [1023, ' 1023'],
      [1024, ' 1.0K'],
      [10_014, ' 9.8K'],
      [10_214, '10.0K'],
      [10_240, '  10K'],
      [100_013, '  98K'],
      [1_048_014, '1023K'],
      [1_048_575, '1024K'],
      [1_048_576, ' 1.0M'],
      [10_000_014, ' 9.5M'],
      [10_485_760, '  10M'],
      [1_048_576_014, '1000M'],
    ];
    for (const [octets, shown] of sizes) assert.equal(formatMessageSize(octets), shown);
  });
});

describe('the listing of the queue', () => {
  let queue: TestQueue;
  beforeEach(async () => {
    queue = await TestQueue.make();
    clock.stopClock(1_000_000_000_000);
  });
  afterEach(() => {
    clock.stopClock(undefined);
    queue.remove();
  });
  const list = async (...words: string[]): Promise<string> => {
    const { out, status, error } = await runCommand(listQueueCommand, words, queue);
    assert.deepEqual([status, error], [0, '']);
    return out;
  };

  it('shows age, size, id and sender, and marks recipients that are done', async () => {
    const recipients = [{ address: 'Bob@X.test' }, { address: 'carl@y.test' }];
    queue.add(two, { sender: '', receivedTime: 999_998_500, facts: { frozen: 1 } });
    queue.add(one, {
      recipients,
      receivedTime: 999_000_000,
      nonRecipients: new Set(['Bob@x.test', 'z@child.test']),
      facts: { senderSetUntrusted: true },
    });
    const first = `12d    17 ${one} <ann@h.test> (ann)\n`;
    const second = `25m    17 ${two} <> *** frozen ***\n          bob@h.test\n\n`;
    assert.equal(await list('-bp'), `${first}        D Bob@X.test\n          carl@y.test\n\n${second}`);
    assert.equal(await list('-bpu'), `${first}          carl@y.test\n\n${second}`);
    assert.equal(
      await list('-bpa', one),
      `${first}        D Bob@X.test\n          carl@y.test\n       +D Bob@x.test\n       +D z@child.test\n\n`,
    );
    assert.equal((await list('-bpr')).length, (await list('-bp')).length);
  });

  it('counts replaced header lines for nothing, and what the journal says for done', async () => {
    queue.add(one, { receivedTime: 1_000_000_000, headers: [{ type: '*', text: 'Subject: x\n' }] }, '');
    queue.write(one, '-J', 'bob@h.test\nother@h.test\nhalf');
    const head = ` 0m     1 ${one} <ann@h.test>\n`;
    assert.equal(await list('-bp'), `${head}        D bob@h.test\n\n`);
    assert.equal(await list('-bpa'), `${head}        D bob@h.test\n       +D other@h.test\n\n`);
  });

  it('tells of what cannot be read, and goes on', async () => {
    queue.write(one, '-H', 'rubbish\n');
    queue.add(two, { receivedTime: 1_000_000_000 });
    files.remove(queue.path(two, '-D'));
    const rest = ` 0m       ${two} <ann@h.test>\n          bob@h.test\n\n`;
    assert.equal(await list('-bp'), `      ${one}\n    *** spool format error: size=8 ***\n\n${rest}`);
    assert.equal(
      await list('-bp', '../../x', two),
      `      ../../x\n    *** spool read error: No such file or directory ***\n\n${rest}`,
    );
  });

  it('is for administrators, unless queue_list_requires_admin is false', async () => {
    queue.add(one);
    const refused = await runCommand(listQueueCommand, ['-bp', one], queue, ordinaryCaller(4711));
    assert.deepEqual([refused.status, refused.out, refused.error], [1, '', 'exim: permission denied\n']);
    assert.equal((await runCommand(countQueueCommand, ['-bpc'], queue, ordinaryCaller(4711))).status, 1);
    queue.remove();
    queue = await TestQueue.make('queue_list_requires_admin = false');
    queue.add(one);
    queue.add(two);
    assert.equal((await runCommand(countQueueCommand, ['-bpc'], queue, ordinaryCaller(1))).out, '2\n');
    assert.equal((await runCommand(listQueueCommand, ['-bp', one], queue, ordinaryCaller(1))).status, 0);
  });
});
