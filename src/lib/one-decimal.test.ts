/** One digit behind the point; expected is what printf writes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneDecimal } from './one-decimal.ts';

test('numbers are rounded as printf does it', () => {
  const expected: readonly (readonly [value: number, text: string])[] = [
    [1.25, '1.2'],
    [1.75, '1.8'],
    [-1.25, '-1.2'],
    [-2.5, '-2.5'],
    [0.45, '0.5'],
    [15.04, '15.0'],
    [75.06, '75.1'],
    [-0.96, '-1.0'],
    [3, '3.0'],
  ];
  for (const [value, text] of expected) assert.equal(oneDecimal(value), text);
});
