import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookups } from './drivers.ts';
import { Lookups } from './lookups.ts';

test('lookup types that this program does not have are unknown, as those are that were left out of an Exim', () => {
  const all = new Lookups(lookups, 5);
  for (const name of ['nisplus', 'oracle', 'ibase', 'whoson', 'testdb', 'nonsense']) {
    assert.deepEqual(all.style(name), { error: `unknown lookup type "${name}"` });
    assert.deepEqual(all.quote(name, 'a', ''), { error: `unknown lookup type "${name}"` });
  }
});
