import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HashIndex } from './hash-index.ts';

const always = (): boolean => true;

test('nothing is found in an empty index', () => {
  assert.equal(new HashIndex().find(0, always), undefined);
});

test('of entries with the same hash, the first that is recognised is found', () => {
  const index = new HashIndex();
  for (const place of [30, 10, 20]) index.add(7, place);
  assert.equal(index.find(7, always), 0);
  assert.equal(
    index.find(7, (place) => place < 30),
    1,
  );
  assert.equal(
    index.find(7, () => false),
    undefined,
  );
  assert.equal(index.find(8, always), undefined);
});

test('an entry that was moved is found at its new place, in its old order', () => {
  const index = new HashIndex();
  index.add(7, 10);
  index.add(7, 20);
  index.move(0, 2 ** 40);
  assert.equal(index.placeOf(index.find(7, always) ?? -1), 2 ** 40);
});

test('hashes are taken as unsigned numbers', () => {
  const index = new HashIndex();
  index.add(-1, 5);
  assert.equal(index.hashOf(0), 0xffff_ffff);
  assert.equal(index.find(0xffff_ffff, always), 0);
  assert.equal(index.find(-1, always), 0);
});

test('the order of entries with equal hashes outlives growth', () => {
  const index = new HashIndex();
  for (let place = 0; place < 5000; place++) index.add(place % 50, place);
  assert.equal(index.count, 5000);
  for (let hash = 0; hash < 50; hash++) {
    const seen: number[] = [];
    index.find(hash, (place) => {
      seen.push(place);
      return false;
    });
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, turn) => turn * 50 + hash),
    );
  }
});

test('it answers as a map that keeps the first of equal keys', () => {
  const hashes = fc.array(fc.oneof(fc.nat(20), fc.nat(0xffff_ffff)), { maxLength: 3000 });
  fc.assert(
    fc.property(hashes, (keys) => {
      const index = new HashIndex();
      const first = new Map<number, number>();
      for (const [place, key] of keys.entries()) {
        index.add(key, place);
        if (!first.has(key)) first.set(key, place);
      }
      for (const [key, place] of first) assert.equal(index.placeOf(index.find(key, always) ?? -1), place);
      for (let key = 21; key < 40; key++) assert.equal(index.find(key, always) === undefined, !first.has(key));
    }),
    { numRuns: 50 },
  );
});
