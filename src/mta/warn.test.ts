import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayText, warningsDue } from './warn.ts';

const hour = 3600;

test('a warning names the time when it was due, in minutes until the message is two hours old', () => {
  assert.equal(delayText(hour + 60, [hour], 1), '60 minutes');
  assert.equal(delayText(2 * hour + 60, [90 * 60], 1), '1 hours');
  assert.equal(delayText(60, [10, 20], warningsDue([10, 20], 60)), '1 minutes');
});

test('behind the last time of delay_warning its last interval goes on', () => {
  const times = [hour, 2 * hour, 3.5 * hour];
  assert.equal(warningsDue(times, 5 * hour), 4);
  assert.equal(delayText(10 * hour, times, warningsDue(times, 10 * hour)), '9 hours');
});
