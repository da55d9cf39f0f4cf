/** Which messages are named for a host: the youngest first, each to one who asks, and none of other hosts or transports. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import * as clock from '../lib/clock.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { type QueueId, queueId } from '../safe/taint.ts';
import { WaitHints } from './wait-hints.ts';

let directory: TestDirectory;
let hints: WaitHints;
let complaints: unknown[];

beforeEach(() => {
  directory = new TestDirectory();
  complaints = [];
  hints = open();
});

afterEach(() => {
  hints.close();
  clock.stopClock(undefined);
  for (const name of ['wait-one', 'wait-two'])
    for (const end of ['sqlite', 'lockfile']) directory.removeFileIn('db', `${name}.${end}`);
  directory.remove();
});

const open = (): WaitHints => new WaitHints(directory.path, undefined, (error) => complaints.push(error));

function id(text: string): QueueId {
  const found = queueId(text);
  assert.ok(found !== undefined);
  return found;
}

const old = id('1aaaaa-000001-00');
const young = id('1aaaac-00000000001-0000');

test('the youngest message that waits for a host is named first, once, to whoever asks', () => {
  hints.note('one', ['mx.example', '10.0.0.1'], young);
  hints.note('one', ['mx.example'], old);
  hints.note('one', ['mx.example'], old);
  const other = open();
  assert.equal(other.isAwaited('one', 'mx.example'), true);
  assert.deepEqual(
    [hints, other, hints].map((asked) => asked.take('one', 'mx.example')),
    [young, old, undefined],
  );
  assert.equal(other.isAwaited('one', 'mx.example'), false);
  assert.equal(other.take('one', '10.0.0.1'), young);
  other.close();
  assert.deepEqual(complaints, []);
});

test('hosts whose names begin alike are told apart, and transports', () => {
  hints.note('one', ['mx.example.org', 'mx.example!'], young);
  hints.note('two', ['mx'], young);
  assert.equal(hints.take('one', 'mx.example'), undefined);
  assert.equal(hints.isAwaited('one', 'mx'), false);
  assert.equal(hints.take('two', 'mx'), young);
});

test('a name with a blank could name messages of another host, and is not noted', () => {
  hints.note('one', ['mx example'], young);
  assert.equal(hints.isAwaited('one', 'mx'), false);
  assert.equal(hints.isAwaited('one', 'mx example'), false);
});

test('a message that went its own way is forgotten', () => {
  hints.note('one', ['mx.example'], young);
  hints.forget('one', 'mx.example', young);
  assert.equal(hints.isAwaited('one', 'mx.example'), false);
});

test('a process that is about to end is given no more', () => {
  hints.note('one', ['mx.example'], young);
  hints.end();
  assert.equal(hints.isAwaited('one', 'mx.example'), false);
  assert.equal(hints.take('one', 'mx.example'), undefined);
  hints.close();
  hints = open();
  assert.equal(hints.take('one', 'mx.example'), young);
});

test('nobody who only asks makes a database', () => {
  assert.equal(hints.isAwaited('one', 'mx.example'), false);
  assert.equal(hints.take('one', 'mx.example'), undefined);
  assert.deepEqual(directory.names, []);
});

test('within a second the later message is the younger, whatever the numbers of the processes', () => {
  const [earlier, later] = [id('1aaaaa-00000099999-0001'), id('1aaaaa-00000000001-0002')];
  hints.note('one', ['mx.example'], earlier);
  hints.note('one', ['mx.example'], later);
  assert.deepEqual([hints.take('one', 'mx.example'), hints.take('one', 'mx.example')], [later, earlier]);
});
