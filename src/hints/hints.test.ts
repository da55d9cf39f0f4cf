/** The hints files: what is kept, what is forgotten, and what happens when one is broken. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import * as clock from '../lib/clock.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { literal } from '../safe/taint.ts';
import { HintsFile } from './hints.ts';

let directory: TestDirectory;
let complaints: unknown[];
let opened: HintsFile[] = [];

beforeEach(() => {
  directory = new TestDirectory();
  complaints = [];
});

afterEach(() => {
  for (const file of opened) file.close();
  opened = [];
  clock.stopClock(undefined);
  for (const name of ['x.sqlite', 'x.lockfile']) directory.removeFileIn('db', name);
  directory.remove();
});

function open(): HintsFile {
  const file = new HintsFile(directory.path, literal('x'), undefined, (error) => complaints.push(error));
  opened.push(file);
  return file;
}

test('a hint is there until it expires, for every process', () => {
  clock.stopClock(1_800_000_000_000);
  const file = open();
  file.set('a', '1', clock.seconds() + 10);
  file.set('b', '2');
  assert.equal(open().get('a'), '1');
  clock.stopClock(1_800_000_010_000);
  assert.equal(file.get('a'), undefined);
  assert.equal(file.get('b'), '2');
});

test('what has expired is removed after a while', () => {
  clock.stopClock(1_800_000_000_000);
  const file = open();
  file.set('old', '1', clock.seconds() + 10);
  clock.stopClock(1_800_000_020_000);
  for (let i = 0; i < 1000; i++) file.set('new', String(i), clock.seconds() + 10);
  assert.deepEqual([...file.entries()], [['new', '999', 1_800_000_030]]);
});

test('reading and writing alone is one step: a second process waits for its turn', () => {
  const [one, other] = [open(), open()];
  one.set('n', '0');
  const add = (file: HintsFile): void => file.alone(() => file.set('n', String(Number(file.get('n')) + 1)));
  add(one);
  add(other);
  assert.equal(one.get('n'), '2');
  assert.throws(() => one.alone(() => assert.fail('work that fails')));
  add(other);
  assert.equal(one.get('n'), '3');
  assert.deepEqual(complaints, []);
});

test('a file that is broken is told of and made anew', () => {
  open().set('a', '1');
  for (const file of opened) file.close();
  directory.write('garbage', 'this is no database, by no means');
  directory.moveInto('garbage', 'db/x.sqlite');
  const file = open();
  assert.equal(file.get('a'), undefined);
  file.set('a', '2');
  assert.equal(file.get('a'), '2');
  assert.equal(complaints.length, 1);
});
