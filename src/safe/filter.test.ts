/** A filter may be done before anybody reads what it made of the message. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFilter } from './filter.ts';
import { literal } from './taint.ts';

test('a filter that has ended before it is read has lost nothing', async () => {
  const rules = { program: literal('/bin/cat'), args: [], directory: literal('/'), timeout: 10_000 };
  const pieces = [Buffer.from('one\n'), Buffer.from('two\n')];
  const filter = openFilter(rules, async () => pieces.shift());
  await sleep(500);
  let text = '';
  for (;;) {
    const piece = await filter.read();
    if (!Buffer.isBuffer(piece)) {
      assert.deepEqual(piece, { outcome: 'exited', status: 0 });
      break;
    }
    text += piece.toString('latin1');
  }
  assert.equal(text, 'one\ntwo\n');
});
