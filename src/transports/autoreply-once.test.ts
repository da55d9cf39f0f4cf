import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { berkeleyFixture } from '../lib/test-berkeley.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { type OnceFile, timeSent, writeSent } from './autoreply-once.ts';

const directory = new TestDirectory();
after(() => directory.remove());

const onceFile = (name: string, more: Partial<OnceFile> = {}): OnceFile => ({
  path: directory.file(name),
  size: 0,
  mode: 0o640,
  repeat: 0,
  ...more,
});

test('an address is known from the time it was noted, and only that spelling of it', () => {
  const once = onceFile('plain');
  assert.equal(timeSent(once, 'ann@example.org'), undefined);
  writeSent(once, 'ann@example.org', 1000);
  writeSent(once, 'bob@example.org', 2000);
  assert.equal(timeSent(once, 'ann@example.org'), 1000);
  assert.equal(timeSent(once, 'bob@example.org'), 2000);
  assert.equal(timeSent(once, 'Ann@example.org'), undefined);
  assert.equal(timeSent(once, 'nn@example.org'), undefined);
  assert.equal((files.stat(once.path)?.mode ?? 0) & 0o777, 0o640);
});

test('an address that is noted again has the new time, and the file does not grow', () => {
  const once = onceFile('again');
  writeSent(once, 'ann@example.org', 1000);
  writeSent(once, 'bob@example.org', 1000);
  const size = files.stat(once.path)?.size;
  writeSent(once, 'ann@example.org', 5_000_000_000);
  assert.equal(timeSent(once, 'ann@example.org'), 5_000_000_000);
  assert.equal(files.stat(once.path)?.size, size);
});

test('a file with a greatest size forgets the oldest addresses first and never grows larger', () => {
  const once = onceFile('small', { size: 60 });
  for (const [index, name] of ['a1@x.example', 'b2@x.example', 'c3@x.example', 'd4@x.example'].entries()) {
    writeSent(once, name, index);
    assert.ok((files.stat(once.path)?.size ?? 0) <= 60);
  }
  assert.equal(timeSent(once, 'a1@x.example'), undefined);
  assert.equal(timeSent(once, 'b2@x.example'), undefined);
  assert.equal(timeSent(once, 'c3@x.example'), 2);
  assert.equal(timeSent(once, 'd4@x.example'), 3);
});

test('an entry that was cut short counts for nothing and is written over', () => {
  const once = onceFile('cut');
  writeSent(once, 'ann@example.org', 1000);
  const file = files.open(once.path, files.createOrAppend);
  files.write(file, 'broken');
  files.close(file);
  writeSent(once, 'bob@example.org', 2000);
  assert.equal(timeSent(once, 'ann@example.org'), 1000);
  assert.equal(timeSent(once, 'bob@example.org'), 2000);
});

test('a DBM file of Exim is renamed when something is added, and still asked', () => {
  const once = onceFile('former');
  directory.write('former', berkeleyFixture('once'));
  assert.equal(timeSent(once, 'mary@simple.example'), 1796056811);
  assert.equal(timeSent(once, 'bob@simple.example'), undefined);
  writeSent(once, 'bob@simple.example', 2000);
  assert.equal(timeSent(once, 'mary@simple.example'), 1796056811);
  assert.equal(timeSent(once, 'bob@simple.example'), 2000);
  writeSent(once, 'mary@simple.example', 3000);
  assert.equal(timeSent(once, 'mary@simple.example'), 3000);
});
