/** What `-M…` says, logs and does; the texts are those of Exim. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { idOf, TestQueue } from '../../mta/test-queue.ts';
import * as files from '../../safe/files.ts';
import type { Caller } from '../caller.ts';
import { messagesCommand } from './messages.ts';
import { type Outcome, ordinaryCaller, runCommand } from './test-call.ts';

const one = '1aaaaa-000001-00';
const two = '1aaaab-00000000001-0000';
const gone = '1aaaac-000001-00';

let queue: TestQueue;
beforeEach(async () => {
  queue = await TestQueue.make();
});
afterEach(() => queue.remove());

const run = (words: readonly string[], caller?: Caller): Promise<Outcome> =>
  runCommand(messagesCommand, words, queue, caller);
/** Status and standard output; nothing may go to standard error. */
const told = async (words: readonly string[], caller?: Caller): Promise<[number, string]> => {
  const { status, out, error } = await run(words, caller);
  assert.equal(error, '');
  return [status, out];
};
const read = (id: string) => {
  const envelope = queue.runtime.spool.read(idOf(id));
  assert.ok(envelope !== undefined);
  return envelope;
};

describe('the words behind -M', () => {
  it('must be ids of messages', async () => {
    queue.add(one);
    for (const option of ['-M', '-Mc', '-Mg', '-Mrm', '-Mf', '-Mt', '-Mmad']) {
      assert.equal((await run([option])).error, `exim: no message ids given after ${option} option\n`);
      const malformed = await run([option, one, 'foo']);
      assert.deepEqual(
        [malformed.status, malformed.error],
        [1, `exim: malformed message id foo after ${option} option\n`],
      );
    }
    for (const option of ['-Mmd', '-Mar', '-Mes', '-Mvh', '-Mvb', '-Mvl', '-Mvc']) {
      assert.equal((await run([option, '../x'])).error, `exim: malformed message id ../x after ${option} option\n`);
    }
    assert.deepEqual(queue.ids, [one]);
  });
});

describe('-Mf and -Mt', () => {
  it('freeze and thaw, each once', async () => {
    queue.add(one);
    const frozen = await run(['-Mf', one]);
    assert.deepEqual([frozen.out, frozen.log], [`Message ${one} is now frozen\n`, [`${one} frozen by root`]]);
    assert.ok((read(one).facts.frozen ?? 0) > 0);
    assert.deepEqual(await told(['-Mf', one]), [1, `Message ${one} is already frozen\n`]);
    const thawed = await run(['-Mt', one]);
    assert.deepEqual([thawed.out, thawed.log], [`Message ${one} is no longer frozen\n`, [`${one} unfrozen by root`]]);
    assert.deepEqual([read(one).facts.frozen, read(one).facts.manualThaw], [undefined, true]);
    assert.deepEqual(await told(['-Mt', one]), [1, `Message ${one} is not frozen\n`]);
    await run(['-Mf', one]);
    assert.equal(read(one).facts.manualThaw, undefined);
  });

  it('go on behind a message that is not there', async () => {
    queue.add(two);
    const { status, out, log } = await run(['-Mf', gone, two]);
    assert.equal(status, 1);
    assert.equal(out, `Spool data file for ${gone} does not exist\nMessage ${two} is now frozen\n`);
    assert.deepEqual(log, [`${gone} Spool file ${gone}-D not found`, `${two} frozen by root`]);
  });

  it('leave a message alone that is being delivered', async () => {
    const locked = queue.runtime.spool.open(queue.add(one));
    assert.ok(locked.outcome === 'open');
    const { status, out, log } = await run(['-Mf', one]);
    assert.deepEqual([status, out], [1, `Message ${one} is locked\n`]);
    assert.deepEqual(log, [`${one} Spool file for ${one} is locked (another process is handling this message)`]);
    locked.message.release();
    assert.equal(read(one).facts.frozen, undefined);
  });
});

describe('-Mmd and -Mmad', () => {
  const recipients = [{ address: 'Bob@X.test' }, { address: 'carl@y.test' }];

  it('mark recipients that are written just so', async () => {
    queue.add(one, { recipients });
    const doing = `Message ${one} - error while marking as delivered:`;
    assert.deepEqual(await told(['-Mmd', one]), [1, `${doing} no address given\n`]);
    assert.deepEqual(await told(['-Mmd', one, 'bob@x.test']), [
      1,
      `${doing}\n  bob@x.test is not a recipient: message not updated\n`,
    ]);
    assert.deepEqual(await told(['-Mmd', one, 'x', 'y@z']), [
      1,
      `${doing}\n  bad address x: domain missing\n- error while marking as delivered:\n  y@z is not a recipient: message not updated\n`,
    ]);
    const done = await run(['-Mmd', one, 'Bob@X.test']);
    assert.deepEqual([done.status, done.out], [0, `Message ${one} has been modified\n`]);
    assert.deepEqual(done.log, [`${one} address <Bob@X.test> marked delivered by root`]);
    assert.deepEqual([...read(one).nonRecipients], ['Bob@X.test']);
  });

  it('mark all recipients of several messages, and then write an empty line', async () => {
    queue.add(one, { recipients });
    queue.add(two);
    const { out, log } = await run(['-Mmad', one, two]);
    assert.equal(out, `Message ${one} has been modified\nMessage ${two} has been modified\n\n`);
    assert.deepEqual(log, [
      `${one} address <Bob@X.test> marked delivered by root`,
      `${one} address <carl@y.test> marked delivered by root`,
      `${two} address <bob@h.test> marked delivered by root`,
    ]);
  });

  it('keep what a journal says', async () => {
    queue.add(one, { recipients });
    queue.write(one, '-J', 'carl@y.test\n');
    await run(['-Mmd', one, 'Bob@X.test']);
    assert.deepEqual([...read(one).nonRecipients].sort(), ['Bob@X.test', 'carl@y.test']);
  });
});

describe('-Mar and -Mes', () => {
  it('add recipients only if all are right', async () => {
    queue.add(one);
    const doing = `Message ${one} - error while adding recipient:\n`;
    assert.deepEqual(await told(['-Mar', one, 'x@y', 'a@b, c@d']), [
      1,
      `${doing}  bad address a@b, c@d: malformed address: , c@d may not follow a@b\n`,
    ]);
    assert.deepEqual(await told(['-Mar', one, '<>']), [
      1,
      `${doing}  bad address <>: missing or malformed local part\n`,
    ]);
    assert.equal(read(one).recipients.length, 1);
    const { log } = await run(['-Mar', one, 'Foo <New@Dom.Ain>', 'x@[1.2.3.4]']);
    assert.deepEqual(log, [
      `${one} recipient <New@Dom.Ain> added by root`,
      `${one} recipient <x@[1.2.3.4]> added by root`,
    ]);
    assert.deepEqual(
      read(one).recipients.map(({ address }) => address),
      ['bob@h.test', 'New@Dom.Ain', 'x@[1.2.3.4]'],
    );
  });

  it('change the sender, also to the empty one', async () => {
    queue.add(one);
    const doing = `Message ${one} - error while editing sender:`;
    assert.deepEqual(await told(['-Mes', one]), [1, `${doing} no address given\n`]);
    assert.deepEqual(await told(['-Mes', one, '']), [1, `${doing}\n  bad address : empty address\n`]);
    assert.deepEqual(await told(['-Mes', one, 'a@b', 'c@d']), [
      1,
      `Message ${one} - only one sender address can be specified\n`,
    ]);
    assert.deepEqual((await run(['-Mes', one, '<>'])).log, [`${one} sender address changed to <> by root`]);
    assert.equal(read(one).sender, '');
    await run(['-Mes', one, '<a@b>']);
    assert.equal(read(one).sender, 'a@b');
  });
});

describe('-Mrm', () => {
  it('removes messages and what belongs to them', async () => {
    queue.add(one);
    queue.write(one, '-J', 'carl@y.test\n');
    const { status, out, log } = await run(['-Mrm', one]);
    assert.deepEqual([status, out], [0, `Message ${one} has been removed\n`]);
    assert.deepEqual(log, [`${one} removed by root`, `${one} Completed`]);
    for (const suffix of ['-D', '-H', '-J'] as const) assert.equal(files.stat(queue.path(one, suffix)), undefined);
  });

  it('removes what is left of one that is broken or half gone', async () => {
    queue.add(one);
    queue.write(one, '-H', 'rubbish');
    assert.deepEqual(await told(['-Mrm', one]), [
      1,
      `Spool format error for ${one}-H\nContinuing to ensure all files removed\nMessage ${one} has been removed\n`,
    ]);
    queue.add(one);
    files.remove(queue.path(one, '-D'));
    const half = await run(['-Mrm', one]);
    assert.equal(
      half.out,
      `Spool data file for ${one} does not exist\nContinuing, to ensure all files removed\nMessage ${one} has been removed or did not exist\n`,
    );
    assert.deepEqual(half.log, [`${one} Spool file ${one}-D not found`, `${one} removed by root`, `${one} Completed`]);
    assert.deepEqual(queue.ids, []);
    assert.deepEqual((await run(['-Mrm', one])).log, [`${one} Spool file ${one}-D not found`]);
  });

  it('is allowed to the user who sent the message, and to nobody else but administrators', async () => {
    queue.add(one);
    assert.deepEqual(await told(['-Mrm', one], ordinaryCaller(4712)), [1, 'Permission denied\n']);
    assert.deepEqual(await told(['-Mf', one], ordinaryCaller(4711)), [1, 'Permission denied\n']);
    queue.write(one, '-H', 'rubbish');
    assert.equal((await told(['-Mrm', one], ordinaryCaller(4711)))[0], 1);
    assert.deepEqual(queue.ids, [one]);
    queue.add(one);
    assert.deepEqual(await told(['-Mrm', one], ordinaryCaller(4711)), [0, `Message ${one} has been removed\n`]);
  });
});

describe('-Mv', () => {
  it('shows the files of a message, octet for octet', async () => {
    const body = `\xff\x00\n${'x'.repeat(200_000)}\n`;
    queue.add(one, {}, body);
    assert.deepEqual(await told(['-Mvb', one]), [0, `${one}-D\n${body}`]);
    assert.deepEqual(await told(['-Mvh', one]), [0, files.readText(queue.path(one, '-H'))]);
    queue.runtime.spool.appendMessageLog(idOf(one), 'a line\n');
    assert.deepEqual(await told(['-Mvl', one]), [0, 'a line\n']);
    assert.deepEqual(await told(['-Mvh', one, two]), [1, '*** Only one message can be listed at once\n']);
    assert.deepEqual(await told(['-Mvb', one], ordinaryCaller(4711)), [1, 'Permission denied\n']);
  });

  it('says which file it has not found', async () => {
    const missing = 'No such file or directory\n';
    assert.deepEqual(await told(['-Mvh', gone]), [1, `Failed to open input file for ${gone}-H: ${missing}`]);
    assert.deepEqual(await told(['-Mvb', gone]), [1, `Failed to open input file for ${gone}-D: ${missing}`]);
    assert.deepEqual(await told(['-Mvl', gone]), [1, `Failed to open msglog file for ${gone}: ${missing}`]);
    assert.deepEqual(await told(['-Mvc', gone]), [1, `Spool data file for ${gone} does not exist\n`]);
  });

  it('shows a message as it would be sent, without header lines that were replaced', async () => {
    queue.add(one, {
      headers: [
        { type: '*', text: 'From: old@h.test\n' },
        { type: 'F', text: 'From: ann@h.test\n' },
      ],
    });
    assert.deepEqual(await told(['-Mvc', one]), [0, 'From: ann@h.test\n\nbody\n']);
  });
});

describe('-M, -Mc and -Mg', () => {
  it('deliver one message after the other, and have no bad status', async () => {
    queue.add(one, { facts: { frozen: 1_000_000_000 } });
    queue.add(two, { recipients: [{ address: 'later@h.test' }] });
    assert.deepEqual((await run(['-Mc', one])).log, [`${one} Message is frozen`]);
    const { status, log } = await run(['-M', gone, one, two]);
    assert.equal(status, 0);
    assert.deepEqual(log, [
      `${gone} Spool file ${gone}-D not found`,
      `${one} Unfrozen by forced delivery`,
      `${one} => :blackhole: <bob@h.test> R=vanishing`,
      `${one} Completed`,
      `${two} == later@h.test R=later defer (-1): not now`,
    ]);
  });

  it('give a message up in the name of the caller', async () => {
    queue.add(one, { recipients: [{ address: 'later@h.test' }], facts: { frozen: 1_000_000_000 } });
    const { status, log } = await run(['-Mg', one]);
    assert.equal(status, 0);
    assert.deepEqual(log.slice(0, 2), [`${one} Unfrozen by forced delivery`, `${one} cancelled by root`]);
    assert.ok(log.includes(`${one} Completed`));
    assert.deepEqual(queue.ids, []);
  });

  it('are refused to others, unless prod_requires_admin is false', async () => {
    queue.add(one);
    const refused = async (option: string): Promise<string> => (await run([option, one], ordinaryCaller(4711))).error;
    assert.equal(await refused('-M'), 'exim: Permission denied\n');
    assert.equal(await refused('-Mc'), 'exim: Permission denied\n');
    assert.equal(await refused('-Mg'), 'exim: permission denied\n');
    queue.remove();
    queue = await TestQueue.make('prod_requires_admin = false');
    queue.add(one);
    assert.equal(await refused('-Mg'), 'exim: permission denied\n');
    assert.equal((await run(['-N', '-M', one], ordinaryCaller(4711))).status, 1);
    assert.equal((await run(['-M', one], ordinaryCaller(4711))).status, 0);
    assert.deepEqual(queue.ids, []);
  });
});
