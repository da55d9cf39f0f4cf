import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import * as files from '../safe/files.ts';
import { BerkeleyHash, isBerkeley } from './berkeley-hash.ts';
import { BerkeleyProblem } from './berkeley-pages.ts';
import { berkeleyFixture, mixedEntry, numberedEntry } from './test-berkeley.ts';
import { TestDirectory } from './test-directory.ts';

const directory = new TestDirectory();
after(() => directory.remove());

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Runs `work` with the table in a file with these octets. */
function withTable<T>(data: Uint8Array, work: (table: BerkeleyHash) => T): T {
  const file = files.open(directory.write('table.db', data));
  try {
    return work(new BerkeleyHash(file));
  } finally {
    files.close(file);
  }
}

function changed(name: string, change: (data: Buffer) => void): Buffer {
  const data = berkeleyFixture(name);
  change(data);
  return data;
}

test('a table of the original exim_dbmbuild is read', () => {
  withTable(berkeleyFixture('small'), (table) => {
    assert.equal(table.find(octets('key\0')), 'value\0');
    assert.equal(table.find(octets('key with space\0')), 'quoted\0');
    assert.equal(table.find(octets('empty\0')), '\0');
    assert.equal(table.find(octets('*@fred.linnet.org\0')), '/u/mail/00/fred/\0');
    assert.equal(table.find(octets('/u/mail/00/fred/\0')), '25000000\0');
    assert.equal(table.find(octets('8bit\xe9\0')), 'caf\xe9\0');
    for (const key of ['key', 'Key\0', 'none\0', '', 'key\0\0']) assert.equal(table.find(octets(key)), undefined);
  });
});

test('all of many keys are found, in chains of pages and with large values, and no others', () => {
  withTable(berkeleyFixture('many'), (table) => {
    for (let number = 0; number < 700; number++) {
      const { key, value } = numberedEntry(number, { key: false, value: number % 300 === 7 ? 1200 : 1 });
      assert.equal(table.find(key), value);
      assert.equal(table.find(octets(`other${number}\0`)), undefined);
    }
  });
});

test('keys without a binary zero, of which many continue others, are found', () => {
  withTable(berkeleyFixture('nozero'), (table) => {
    for (let number = 1; number <= 130; number++) assert.equal(table.find(octets(`${number}`)), `number ${number}`);
    for (const key of ['0', '131', '1300', '', '1\0']) assert.equal(table.find(octets(key)), undefined);
  });
});

for (const name of ['swapped', 'checksummed']) {
  test(`a ${name} table with large keys and values is read`, () => {
    withTable(berkeleyFixture(name), (table) => {
      for (let number = 0; number < 300; number++) {
        const { key, value } = mixedEntry(number);
        assert.equal(table.find(key), value);
        const other = Buffer.from(key);
        other.writeUInt8(0x40, other.length - 2);
        assert.equal(table.find(other), undefined);
      }
    });
  });
}

test('pages of 65536 octets are read', () => {
  withTable(berkeleyFixture('wide'), (table) => {
    for (let number = 0; number < 400; number++) {
      const { key, value } = numberedEntry(number, { key: false, value: 1 });
      assert.equal(table.find(key), value);
    }
  });
});

test('pages that are marked as unsorted are read', () => {
  const unsorted = changed('checksummed', (data) => {
    for (let type = 1024 + 25; type < data.length; type += 1024) if (data[type] === 13) data[type] = 2;
  });
  withTable(unsorted, (table) => {
    for (let number = 0; number < 300; number++)
      assert.equal(table.find(mixedEntry(number).key), mixedEntry(number).value);
  });
});

test('of a key with several values the first is taken', () => {
  withTable(berkeleyFixture('duplicates'), (table) => {
    assert.equal(table.find(octets('few\0')), 'one\0');
    assert.equal(table.find(octets('many\0')), 'number 0\0');
    assert.equal(table.find(octets('large\0')), `${'large 0 '.repeat(200).trim()}\0`);
    assert.equal(table.find(octets('single\0')), 'alone\0');
    assert.equal(table.find(octets('none\0')), undefined);
  });
  withTable(berkeleyFixture('sorted-duplicates'), (table) => {
    assert.equal(table.find(octets('few\0')), 'one\0');
    assert.equal(table.find(octets('many\0')), 'number 0\0');
    assert.equal(table.find(octets('single\0')), 'alone\0');
  });
});

test('a Berkeley DB file is known by its magic number in either byte order', () => {
  for (const name of ['small', 'swapped', 'btree'])
    assert.equal(isBerkeley(berkeleyFixture(name).subarray(0, 16)), true);
  assert.equal(isBerkeley(Buffer.alloc(16)), false);
  assert.equal(isBerkeley(Buffer.from('some text, and more of it')), false);
});

const refused: readonly (readonly [string, Buffer, RegExp])[] = [
  ['too short', Buffer.alloc(511), /^it is too short$/],
  ['something else', Buffer.alloc(4096), /^it is no Berkeley DB file$/],
  ['a btree', berkeleyFixture('btree'), /^it is a btree, and only hash tables are read$/],
  ['encrypted', changed('small', (data) => data.writeUInt8(1, 24)), /^it is encrypted$/],
  ['of another version', changed('small', (data) => data.writeUInt32LE(7, 16)), /^hash version 7 is not supported/],
  ['of a version to come', changed('small', (data) => data.writeUInt32LE(11, 16)), /^hash version 11 is not supported/],
  ['in parts', changed('small', (data) => data.writeUInt32LE(3, 36)), /^it is partitioned$/],
  ['of odd pages', changed('small', (data) => data.writeUInt32LE(4095, 20)), /^it has pages of 4095 octets$/],
  ['of no pages', changed('small', (data) => data.writeUInt32LE(0, 20)), /^it has pages of 0 octets$/],
  ['hashed otherwise', changed('small', (data) => data.writeUInt32LE(1, 92)), /^it was made with a hash function/],
  ['cut off', berkeleyFixture('small').subarray(0, 8192), /^it is truncated$/],
  ['of broken metadata', changed('small', (data) => data.writeUInt32LE(5, 76)), /^its metadata is damaged$/],
  ['of too many buckets', changed('small', (data) => data.writeUInt32LE(9, 72)), /^its metadata is damaged$/],
];

for (const [what, data, message] of refused) {
  test(`a file that is ${what} is refused with the reason`, () => {
    assert.throws(
      () => withTable(data, () => undefined),
      (error) => error instanceof BerkeleyProblem && message.test(error.message),
    );
  });
}

/** What a search of every key of `mixedEntry` throws, each once. */
function problems(data: Buffer): string[] {
  return withTable(data, (table) => {
    const found = new Set<string>();
    for (let number = 0; number < 300; number++) {
      try {
        table.find(mixedEntry(number).key);
      } catch (error) {
        if (!(error instanceof BerkeleyProblem)) throw error;
        found.add(error.message.replace(/\d+/g, 'N'));
      }
    }
    return [...found];
  });
}

/** The pages of `checksummed` of one type. */
function pagesOfType(data: Buffer, type: number): number[] {
  const starts: number[] = [];
  for (let start = 1024; start < data.length; start += 1024) if (data[start + 25] === type) starts.push(start);
  return starts;
}

const hashPage = 13;
const overflowPage = 7;

test('a chain of pages that leads back into itself ends', () => {
  const data = changed('checksummed', (table) => {
    for (const start of pagesOfType(table, hashPage)) table.writeUInt32LE(start / 1024, start + 16);
  });
  assert.equal(
    withTable(data, (table) => {
      try {
        return table.find(octets('none\0'));
      } catch (error) {
        return error instanceof BerkeleyProblem ? error.message : error;
      }
    }),
    'a chain of pages has no end',
  );
});

test('a large item whose pages lead in a circle, break off or hold nothing is damage', () => {
  const overflow = (change: (data: Buffer, start: number) => void): string[] =>
    problems(
      changed('checksummed', (data) => {
        for (const start of pagesOfType(data, overflowPage)) change(data, start);
      }),
    );
  assert.deepEqual(
    overflow((data, start) => data.writeUInt32LE(start / 1024, start + 16)),
    ['a large item does not fit its length'],
  );
  const slow = overflow((data, start) => {
    data.writeUInt32LE(start / 1024, start + 16);
    data.writeUInt16LE(1, start + 22);
  });
  assert.deepEqual(slow, ['a large item has no end']);
  assert.deepEqual(
    overflow((data, start) => data.writeUInt32LE(0, start + 16)),
    ['a large item breaks off'],
  );
  assert.deepEqual(
    overflow((data, start) => data.writeUInt16LE(0, start + 22)),
    ['a large item does not fit its length'],
  );
  assert.deepEqual(
    overflow((data, start) => data.writeUInt32LE(0xffff_ffff, start + 16)),
    ['page N is behind the last page'],
  );
});

test('a page that says it is another one, or of another type, is damage', () => {
  const hashPages = (change: (data: Buffer, start: number) => void): string[] =>
    problems(
      changed('checksummed', (data) => {
        for (const start of pagesOfType(data, hashPage)) change(data, start);
      }),
    );
  assert.deepEqual(
    hashPages((data, start) => data.writeUInt32LE(start, start + 8)),
    ['page N says that it is page N'],
  );
  assert.deepEqual(
    hashPages((data, start) => data.writeUInt8(5, start + 25)),
    ['page N is no page of a hash table'],
  );
  assert.deepEqual(
    hashPages((data, start) => data.writeUInt16LE(0xfffe, start + 20)),
    ['page N has too many items'],
  );
  assert.deepEqual(
    hashPages((data, start) => data.writeUInt16LE(data.readUInt16LE(start + 20) - 1, start + 20)),
    ['page N has a key without a value'],
  );
});

for (const name of ['small', 'swapped', 'checksummed', 'duplicates', 'sorted-duplicates', 'nozero']) {
  const sound = berkeleyFixture(name);
  const keys = ['key\0', 'few\0', 'many\0', 'large\0', '1', '12', '120', 'none'].map(octets);
  for (const number of [0, 3, 7, 43, 57, 107, 299]) keys.push(mixedEntry(number).key);
  test(`whatever octets of the ${name} table are changed, a search ends, with the one error if any`, () => {
    const change = fc.tuple(fc.oneof(fc.nat(sound.length - 1), fc.nat(600)), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 60 }), fc.nat(sound.length), (changes, cut) => {
        const data = Buffer.from(sound);
        for (const [at, bits] of changes) data[at] = (data[at] ?? 0) ^ bits;
        try {
          withTable(cut % 5 === 0 ? data.subarray(0, cut) : data, (table) => {
            for (const key of keys) {
              try {
                table.find(key);
              } catch (error) {
                if (!(error instanceof BerkeleyProblem)) throw error;
              }
            }
          });
        } catch (error) {
          if (!(error instanceof BerkeleyProblem)) throw error;
        }
      }),
      { numRuns: 150 },
    );
  });
}
