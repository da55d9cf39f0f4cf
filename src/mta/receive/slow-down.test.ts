/** How long commands wait; what is read and the delays are those of Exim 4.96. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRateLimit } from '../../options/rate-limit.ts';
import { Pace } from './slow-down.ts';

function delays(text: string, count: number): number[] {
  const limit = parseRateLimit(text);
  assert.ok(limit !== undefined, text);
  const pace = new Pace();
  return Array.from({ length: count }, () => pace.next(limit));
}

test('commands beyond the threshold wait longer and longer, up to a limit', () => {
  assert.deepEqual(delays('1,0.5s,2,4m', 5), [0, 0.5, 1, 2, 4]);
  assert.deepEqual(delays('2,0.25s,2,0.6s', 6), [0, 0, 0.25, 0.5, 0.6, 0.6]);
  assert.deepEqual(delays('0,1m0.5s,1,1h', 2), [60.5, 60.5]);
});

test('settings that make no sense are none', () => {
  for (const text of [
    '1',
    '2,x,1,1m',
    '2,0.5,1.05,4m',
    'a,b,c,d',
    '2,0.5s,1.05,4m,9',
    '',
    '2,1.5h,1,4m',
    '2,0.5s,x,4m',
    '2,0.5s,1.05,x',
    '2 , 0.5s , 1.05 , 4m',
    '2,500ms,1,1s',
    '2,.5s,1,1s',
  ]) {
    assert.equal(parseRateLimit(text), undefined, text);
  }
});
