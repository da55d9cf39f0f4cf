import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as clock from './clock.ts';

test('seconds and microseconds are those of one clock, at the end of a second, too', () => {
  const end = Date.now() + 2100;
  while (Date.now() < end) {
    const before = Date.now();
    const at = clock.microseconds();
    const after = Date.now();
    assert.ok(at >= before * 1000 && at < (after + 1) * 1000, `${at} between ${before} and ${after}`);
  }
});

test('a stopped clock has no digits that nobody set', () => {
  clock.stopClock(1_234_567);
  assert.equal(clock.microseconds(), 1_234_567_000);
  assert.equal(clock.seconds(), 1234);
  clock.stopClock(undefined);
});
