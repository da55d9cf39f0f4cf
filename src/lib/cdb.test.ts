import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import fc from 'fast-check';
import * as files from '../safe/files.ts';
import { Cdb, CdbFull, CdbProblem, CdbWriter } from './cdb.ts';
import { TestDirectory } from './test-directory.ts';

const directory = new TestDirectory();
after(() => directory.remove());

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');
let made = 0;

/** A cdb file with these records. */
function write(records: Iterable<readonly [string, string]>, replace = false): ReturnType<TestDirectory['file']> {
  const path = directory.file(`table${++made}.cdb`);
  const file = files.open(path, files.createNew);
  const writer = new CdbWriter(file);
  for (const [key, value] of records) writer.add(octets(key), octets(value), replace);
  writer.finish();
  files.close(file);
  return path;
}

function find(path: ReturnType<TestDirectory['file']>, key: string): string | undefined {
  const table = new Cdb(files.open(path));
  try {
    return table.find(octets(key));
  } finally {
    table.close();
  }
}

test('what was written is found, and nothing else', () => {
  const path = write([
    ['a', '1'],
    ['', 'empty key'],
    ['empty', ''],
    ['key with space', 'caf\xe9'],
    ['zero\0', 'x\0y\0'],
  ]);
  assert.equal(find(path, 'a'), '1');
  assert.equal(find(path, ''), 'empty key');
  assert.equal(find(path, 'empty'), '');
  assert.equal(find(path, 'key with space'), 'caf\xe9');
  assert.equal(find(path, 'zero\0'), 'x\0y\0');
  for (const key of ['b', 'A', 'zero', 'a\0', 'key']) assert.equal(find(path, key), undefined);
});

test('a small table that is asked often answers from memory as it did from the file', () => {
  const path = write(Array.from({ length: 500 }, (_, at) => [`key${at}`, `value${at}`] as const));
  const table = new Cdb(files.open(path));
  for (let at = 0; at < 20; at++) assert.equal(table.find(octets(`key${at}`)), `value${at}`);
  const file = files.open(path, files.readWrite);
  files.truncate(file, 0);
  files.close(file);
  for (let at = 0; at < 500; at++) assert.equal(table.find(octets(`key${at}`)), `value${at}`);
  assert.equal(table.find(octets('key500')), undefined);
  table.close();
});

test('the file is octet for octet the one that another writer of the format makes', () => {
  const path = write(Array.from({ length: 1000 }, (_, i) => [`key${i}`, `value ${i}`] as const));
  const digest = createHash('sha256').update(files.read(path)).digest('hex');
  assert.equal(digest, '2440020df882314e666a2166b6e56304169df2e5919310023ef5233d33b9dad3');
});

test('an empty table is 2048 octets and holds nothing', () => {
  const path = write([]);
  assert.equal(files.read(path).length, 2048);
  assert.equal(find(path, 'a'), undefined);
});

test('values of any length are found, with keys of any length', () => {
  const lengths = [0, 1, 1000, 1015, 1016, 1017, 5000, 300_000];
  const records = lengths.flatMap((key) =>
    lengths.map((value) => [`${'k'.repeat(key)}${value}`, 'v'.repeat(value)] as const),
  );
  const path = write(records);
  for (const [key, value] of records) assert.equal(find(path, key), value);
});

test('of two records with one key the first stays, or the last if that is wanted', () => {
  const records = [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
  ] as const;
  assert.equal(find(write(records), 'a'), '1');
  assert.equal(find(write(records, true), 'a'), '3');
  assert.equal(find(write(records, true), 'b'), '2');
});

test('adding tells whether the key is new, and the count is of different keys', () => {
  const file = files.open(directory.file('count.cdb'), files.createNew);
  const writer = new CdbWriter(file);
  assert.equal(writer.add(octets('a'), octets('1'), false), true);
  assert.equal(writer.add(octets('a'), octets('2'), true), false);
  for (let i = 0; i < 20_000; i++) assert.equal(writer.add(octets(`key${i}`), octets('x'.repeat(50)), false), true);
  for (let i = 0; i < 20_000; i++) assert.equal(writer.add(octets(`key${i}`), octets('y'), false), false);
  assert.equal(writer.count, 20_001);
  files.close(file);
});

test('two keys with the same hash are told apart', () => {
  const hash = (key: string): number => [...key].reduce((sum, c) => (Math.imul(sum, 33) ^ c.charCodeAt(0)) >>> 0, 5381);
  const seen = new Map<number, string>();
  let pair: [string, string] | undefined;
  for (let first = 0; first < 256 && pair === undefined; first++) {
    for (let second = 0; second < 256 && pair === undefined; second++) {
      const key = String.fromCharCode(first, second);
      const other = seen.get(hash(key));
      if (other !== undefined) pair = [other, key];
      seen.set(hash(key), key);
    }
  }
  assert.ok(pair);
  const path = write([
    [pair[0], 'one'],
    [pair[1], 'two'],
  ]);
  assert.deepEqual([find(path, pair[0]), find(path, pair[1])], ['one', 'two']);
});

test('a table that would be too large is refused before it is', () => {
  const file = files.open(directory.file('full.cdb'), files.createNew);
  const writer = new CdbWriter(file, 2048 + 8 + 2 + 16);
  writer.add(octets('a'), octets('1'), false);
  assert.throws(() => writer.add(octets('b'), octets('2'), false), CdbFull);
  assert.throws(() => writer.add(octets('b'), octets('2'), false), /4 GB/);
  files.close(file);
});

test('a file without room for the pointers is too short', () => {
  for (const length of [0, 100, 2047]) {
    const file = files.open(directory.write('short.cdb', Buffer.alloc(length)));
    assert.throws(
      () => new Cdb(file),
      (error) => error instanceof CdbProblem && error.problem === 'short',
    );
    files.close(file);
  }
});

test('pointers that lead out of the file are damage', () => {
  const corrupt = (error: unknown): boolean => error instanceof CdbProblem && error.problem === 'corrupt';
  const sound = files.read(write([['a', 'value']]));
  const tables = directory.write('tables.cdb', Buffer.alloc(2048, 0x7f));
  assert.throws(() => find(tables, 'a'), corrupt);
  const cut = directory.write('cut.cdb', sound.subarray(0, 2060));
  assert.throws(() => find(cut, 'a'), corrupt);
  const long = Buffer.from(sound);
  long.writeUInt32LE(100_000, 2052);
  assert.throws(() => find(directory.write('long.cdb', long), 'a'), corrupt);
  const record = Buffer.from(sound);
  record.writeUInt32LE(0xffff_fff0, record.length - 4);
  record.writeUInt32LE(0xffff_fff0, record.length - 12);
  assert.throws(() => find(directory.write('record.cdb', record), 'a'), corrupt);
});

test('a hash table without a free slot is searched once and no more', () => {
  const path = write([['a', '1']]);
  const full = files.read(path);
  for (let slot = full.length - 16; slot < full.length; slot += 8) {
    full.writeUInt32LE(0, slot);
    full.writeUInt32LE(2048, slot + 4);
  }
  assert.equal(find(directory.write('full-slots.cdb', full), 'a'), undefined);
});

test('a file is plausible when all its pointers lead into it', () => {
  const plausible = (data: Uint8Array): boolean => {
    const table = new Cdb(files.open(directory.write('plausible', data)));
    const answer = table.isPlausible;
    table.close();
    return answer;
  };
  assert.equal(plausible(files.read(write([['a', '1']]))), true);
  assert.equal(plausible(files.read(write([]))), true);
  assert.equal(plausible(Buffer.from('some text\n'.repeat(300))), false);
  assert.equal(plausible(Buffer.alloc(3000)), false);
});

test('whatever octets are changed, a search ends with a value, with none, or with the one error', () => {
  const records = Array.from({ length: 60 }, (_, i) => [`key${i}`, `value ${i} `.repeat(i)] as const);
  const sound = files.read(write(records));
  const flips = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(flips, fc.nat(sound.length), (changes, cut) => {
      const data = Buffer.from(sound);
      for (const [at, bits] of changes) data[at] = (data[at] ?? 0) ^ bits;
      const path = directory.write('fuzzed.cdb', cut % 4 === 0 ? data.subarray(0, cut) : data);
      for (const [key] of records) {
        try {
          find(path, key);
        } catch (error) {
          if (!(error instanceof CdbProblem)) throw error;
        }
      }
    }),
    { numRuns: 200 },
  );
});
