/** The condition `seen`; answers and error texts are those of Exim 4.96. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { stopClock } from '../../lib/clock.ts';
import { TestDirectory } from '../../lib/test-directory.ts';
import type { AclRun, ConditionAnswer } from '../acl.ts';
import { testRun } from '../test-run.ts';
import { seen } from './seen.ts';

const start = 1_800_000_000_000;
const hour = 3_600_000;
let directory: TestDirectory;
let run: AclRun;

beforeEach(() => {
  directory = new TestDirectory();
  ({ run } = testRun({ directory }));
  stopClock(start);
});

afterEach(() => {
  run.services.seen.close();
  stopClock(undefined);
  for (const name of ['seen.sqlite', 'seen.lockfile']) directory.removeFileIn('db', name);
  directory.remove();
});

const ask = (text: string): ConditionAnswer => seen.test(text, run) as ConditionAnswer;

test('since an interval: what is asked for is noted each time', () => {
  assert.equal(ask('1h'), 'false');
  stopClock(start + hour - 1000);
  assert.equal(ask('1h'), 'true');
  stopClock(start + 2 * hour - 2000);
  assert.equal(ask('1h'), 'true');
  stopClock(start + 4 * hour);
  assert.equal(ask('1h'), 'false');
});

test('before an interval: greylisting lets the second try pass, and only the first is noted', () => {
  assert.equal(ask('-5m / key=z'), 'false');
  stopClock(start + 60_000);
  assert.equal(ask('-5m / key=z'), 'false');
  stopClock(start + 300_000);
  assert.equal(ask('-5m / key=z'), 'true');
  assert.equal(ask('1s/key=z/readonly'), 'false');
});

test('readonly notes nothing, write notes always', () => {
  assert.equal(ask('1h/readonly'), 'false');
  assert.equal(ask('1h/readonly'), 'false');
  assert.equal(ask('-1h/write'), 'false');
  stopClock(start + 2 * hour);
  assert.equal(ask('-1h/write'), 'true');
  assert.equal(ask('-1h'), 'false');
});

test('a note that is needed for long is refreshed', () => {
  ask('-5m');
  stopClock(start + 10 * 24 * hour);
  assert.equal(ask('-5m'), 'true');
  assert.equal(ask('1s/readonly'), 'true');
  stopClock(start + 12 * 24 * hour);
  assert.equal(ask('-5m/refresh=1d'), 'true');
  assert.equal(ask('1s/readonly'), 'true');
});

test('now counts as before, not as since', () => {
  ask('-0s/key=w/write');
  assert.equal(ask('-0s/key=w'), 'true');
  assert.equal(ask('0s/key=w'), 'false');
});

const wrong: readonly (readonly [text: string, error: string])[] = [
  ['', "failed to parse ''"],
  ['x', "failed to parse 'x'"],
  ['+1h', "failed to parse '+1h'"],
  ['- 1h', "failed to parse '- 1h'"],
  ['1h/foo', "unrecognised option 'foo' in '1h/foo'"],
  ['1h/key', "unrecognised option 'key' in '1h/key'"],
  ['1h/key=a/b', "unrecognised option 'b' in '1h/key=a/b'"],
  ['1h/refresh=', "failed to parse '1h/refresh='"],
];

for (const [text, error] of wrong) {
  test(`"${text}" is wrong`, () => assert.deepEqual(ask(text), { error }));
}
