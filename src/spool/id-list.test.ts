import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type QueueId, queueId } from '../safe/taint.ts';
import { IdList } from './id-list.ts';

const id = (text: string): QueueId => {
  const found = queueId(text);
  assert.ok(found !== undefined, text);
  return found;
};

const letters = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
const word = (length: number) =>
  fc.array(fc.constantFrom(...letters), { minLength: length, maxLength: length }).map((all) => all.join(''));
const anyId = fc
  .oneof(fc.tuple(word(6), word(6), word(2)), fc.tuple(word(6), word(11), word(4)))
  .map((parts) => id(parts.join('-')));

describe('a list of message ids', () => {
  it('gives back what was put in, in both forms of ids', () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 200 }), (ids) => {
        assert.deepEqual([...new IdList(ids)], ids);
        assert.equal(new IdList(ids).length, ids.length);
        assert.deepEqual([...new IdList(ids).shuffle()].sort(), [...ids].sort());
      }),
    );
  });

  it('sorts by time, then by fraction of the second, and by process last', () => {
    const sorted = [
      '1aaaaa-0006sP-0r',
      '1aaaaa-0006sJ-10',
      '1aaaaa-0006sS-15',
      '1aaaaa-00000000zzz-15aa',
      '1aaaaa-00000000aaa-15ab',
      '1aaaab-00000000000-0000',
    ].map(id);
    assert.deepEqual([...new IdList([...sorted].reverse()).sort()], sorted);
  });

  it('shuffles by the numbers it is given', () => {
    const ids = ['1aaaaa-000001-00', '1aaaaa-000002-00', '1aaaaa-000003-00'].map(id);
    assert.deepEqual([...new IdList(ids).shuffle(() => 0)], [ids[1], ids[2], ids[0]]);
  });

  it('holds 100,000 ids in a few megabytes and sorts them in the time of a blink', () => {
    function* many(): Generator<QueueId> {
      for (let n = 99_999; n >= 0; n--) yield id(`1aaaaa-00000${String(n).padStart(6, '0')}-0000`);
    }
    const before = process.memoryUsage();
    const list = new IdList(many()).sort();
    const after = process.memoryUsage();
    const buffers = after.arrayBuffers - before.arrayBuffers;
    assert.ok(buffers < 8 * 1024 * 1024, `${buffers} octets`);
    const [first] = list;
    assert.equal(first, '1aaaaa-00000000000-0000');
  });
});
