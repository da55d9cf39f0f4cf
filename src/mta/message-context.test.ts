/** What of a message on the queue is made into facts for expansions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitPort } from './message-context.ts';

const stored: readonly [text: string, address: string, port: number][] = [
  ['[192.0.2.66]:2525', '192.0.2.66', 2525],
  ['[192.0.2.66]', '192.0.2.66', 0],
  ['192.0.2.66.2525', '192.0.2.66', 2525],
  ['192.0.2.66', '192.0.2.66', 0],
  ['[2001:db8::1]:25', '2001:db8::1', 25],
  ['2001:db8::1.25', '2001:db8::1', 25],
  ['2001:db8::1', '2001:db8::1', 0],
  ['::ffff:192.0.2.66', '::ffff:192.0.2.66', 0],
  ['', '', 0],
  ['[192.0.2.66]:x', '[192.0.2.66]:x', 0],
];

for (const [text, address, port] of stored) {
  test(`the stored address ${JSON.stringify(text)} is ${JSON.stringify(address)} with port ${port}`, () =>
    assert.deepEqual(splitPort(text), [address, port]));
}
