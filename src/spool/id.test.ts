import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, timeOfId } from './id.ts';

test('ids of all hosts that may share a spool have one form, are all different and never younger than those before', () => {
  for (const hostNumber of [0, 1, 13, 14, 16]) {
    const ids = Array.from({ length: 2000 }, () => newId(hostNumber));
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}$/);
    assert.deepEqual(ids.toSorted(), ids);
    assert.ok(Math.abs(timeOfId(ids[0] ?? newId()) - Date.now() / 1000) < 60);
  }
});
