import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { removeLeftovers } from './leftovers.ts';

const day = 24 * 3600_000;
const now = 1_800_000_000_000;
const queued = '1xUPlS-0000000080h-0j16';
const broken = '1xUPlS-0000000080h-0j17';

function spool(...names: readonly string[]): TestDirectory {
  const directory = new TestDirectory();
  for (const name of names) files.setTime(directory.write(name, 'x'), now - 2 * day);
  return directory;
}

test('Old bodies, journals and unfinished envelopes without a message are removed, messages of the queue are not', async () => {
  const kept = [`${queued}-D`, `${queued}-H`, `${queued}-J`, 'notes', 'hdr.notes', 'x-D'];
  const directory = spool(...kept, `${broken}-D`, `${broken}-J`, `hdr.${broken}`, `hdr.${queued}`);
  assert.equal(await removeLeftovers([directory.path], day, now), 4);
  assert.deepEqual(directory.names, [...kept].sort());
  directory.remove();
});

test('A body that came a short while ago is left alone', async () => {
  const directory = spool(`${broken}-D`);
  assert.equal(await removeLeftovers([directory.path], 3 * day, now), 0);
  directory.remove();
});

test('A body that somebody is receiving is left alone, however old it is', async () => {
  const directory = spool(`${broken}-D`);
  const file = files.open(directory.file(`${broken}-D`), files.readWrite);
  assert.ok(tryLock(file));
  assert.equal(await removeLeftovers([directory.path], day, now), 0);
  files.close(file);
  assert.equal(await removeLeftovers([directory.path], day, now), 1);
  directory.remove();
});

test('A directory that is not there has no leftovers', async () => {
  const directory = spool();
  const missing = directory.file('missing');
  assert.equal(await removeLeftovers([missing], day, now), 0);
  directory.remove();
});
