/** exim_lock; the lines are recorded from the real program. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { type Clean, concat, literal } from '../safe/taint.ts';
import { eximLock } from './exim-lock.ts';

let directory: TestDirectory;
let box: Clean;
beforeEach(() => {
  directory = new TestDirectory();
  box = directory.file('box');
  files.close(files.open(box, files.createNew, 0o600));
});
afterEach(() => directory.remove());

async function lock(...words: readonly string[]): Promise<[number, string]> {
  let text = '';
  const out = (more: string): void => {
    text += more;
  };
  const status = await eximLock(words, { out, hostname: literal('h'), shell: 'true' });
  return [status, text.replaceAll(box, 'box').replace(/^exim_lock: /gm, '')];
}

it('A mailbox has a lock file and a lock while the command runs', async () => {
  assert.deepEqual(await lock(box, `test -e ${box}.lock && touch ${box}.seen`), [
    0,
    `lock file successfully created
fcntl() lock successfully applied
locking box succeeded: running the command ...
box closed
lock file removed
`,
  ]);
  assert.ok(files.stat(concat(box, literal('.seen'))) !== undefined);
  assert.equal(files.stat(concat(box, literal('.lock'))), undefined);
  assert.deepEqual(await lock('-q', '-flock', box, 'exit 3'), [0, '']);
});

it('One that somebody has locked is tried so often', async () => {
  const file = files.open(box, files.readWrite);
  assert.ok(tryLock(file));
  const failed = 'fcntl() failed: Resource temporarily unavailable\nfile closed\n ... waiting\n';
  assert.deepEqual(await lock('-fcntl', '-retries', '2', '-interval', '0', box, 'true'), [
    1,
    `${failed}${failed}locking failed too many times\n`,
  ]);
  files.close(file);
  files.close(files.open(concat(box, literal('.lock')), files.createNew, 0o600));
  assert.deepEqual(await lock('-lockfile', '-retries', '1', '-interval', '0', box, 'true'), [
    1,
    'failed to link hitching post to lock file\n ... waiting\nlocking failed too many times\n',
  ]);
});

it('The times of a mailbox are put back when that is asked for', async () => {
  files.setTime(box, 1_000_000_000_000, 1_100_000_000_000);
  await lock('-q', '-restore-times', box, `cat ${box} >/dev/null; echo x >> ${box}`);
  const { mtimeMs, atimeMs, size } = files.stat(box) ?? {};
  assert.deepEqual([mtimeMs, atimeMs, size], [1_000_000_000_000, 1_100_000_000_000, 2]);
});

it('A mailbox that is not there is told, and a wrong option', async () => {
  assert.deepEqual(await lock('-fcntl', `${box}x`, 'true'), [
    1,
    'failed to open boxx for writing: No such file or directory\n',
  ]);
  assert.match((await lock('-x', box))[1], /^usage: exim_lock /);
});
