import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { berkeleyFixture } from '../lib/test-berkeley.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { dbm, dbmjz, dbmnz } from './dbm.ts';
import { Lookups } from './lookups.ts';
import { found, singleKeyContract } from './single-key-contract.ts';
import { cdbOf } from './test-cdb.ts';

const truncated = berkeleyFixture('small').subarray(0, 8192);
/** The page of the only bucket that has keys says that it is another page. */
const damaged = berkeleyFixture('small');
for (const page of [4096, 8192]) damaged.writeUInt32LE(77, page + 8);

const directory = new TestDirectory();
const lookups = new Lookups([dbm, dbmnz, dbmjz], 5);
after(() => {
  lookups.close();
  directory.remove();
});

for (const [driver, end] of [
  [dbm, '\0'],
  [dbmnz, ''],
  [dbmjz, ''],
] as const) {
  singleKeyContract({
    driver,
    tableOf: (entries) => cdbOf(entries, end),
    keys: ['key', 'empty', 'long', '8bit\xe9', 'with blanks', 'missing'],
    directoryProblem: (path) => `failed to open ${path} as a db (v4.1+) file: Is a directory`,
    broken: [
      {
        what: 'an empty file',
        data: Buffer.alloc(0),
        outcome: 'error',
        message: (path) =>
          `failed to open ${path} as a db (v4.1+) file: it is neither a Berkeley DB hash table nor a cdb file`,
      },
      {
        what: 'text',
        data: Buffer.from('key: value\n'.repeat(1000)),
        outcome: 'error',
        message: (path) =>
          `failed to open ${path} as a db (v4.1+) file: it is neither a Berkeley DB hash table nor a cdb file`,
      },
      {
        what: 'a Berkeley DB file that is cut off',
        data: truncated,
        outcome: 'error',
        message: (path) => `failed to open ${path} as a db (v4.1+) file: it is truncated`,
      },
      {
        what: 'a Berkeley DB file of another kind',
        data: berkeleyFixture('btree'),
        outcome: 'error',
        message: (path) => `failed to open ${path} as a db (v4.1+) file: it is a btree, and only hash tables are read`,
      },
    ],
  });
}

test('dbm: tables of the original exim_dbmbuild are read', async () => {
  const path = directory.write('small', berkeleyFixture('small'));
  assert.equal(await found(lookups, 'dbm', '*.linnet.org', path), '');
  assert.equal(await found(lookups, 'dbm', 'key', path), 'value');
  assert.equal(await found(lookups, 'dbm', '8bit\xe9', path), 'caf\xe9');
  assert.equal(await found(lookups, 'dbm', 'Key', path), 'not found');
  assert.equal(await found(lookups, 'partial2-dbm', 'x.y.linnet.org', path), '');
  assert.equal(await found(lookups, 'dbm*@', 'any@fred.linnet.org', path), '/u/mail/00/fred/');
  assert.equal(await found(lookups, 'dbmnz', 'key', path), 'not found');
});

test('dbmnz: tables made with -nozero are read, and dbm does not find their keys', async () => {
  const path = directory.write('nozero', berkeleyFixture('nozero'));
  assert.equal(await found(lookups, 'dbmnz', '12', path), 'number 12');
  assert.equal(await found(lookups, 'dbm', '12', path), 'not found');
});

test('dbmjz: the items of the key are joined with binary zeros', async () => {
  const path = directory.write(
    'sasl',
    cdbOf([
      ['user\0realm\0userPassword', 'secret'],
      ['a\0\0b', 'empty item'],
      ['a:b', 'colon'],
    ]),
  );
  assert.equal(await found(lookups, 'dbmjz', 'user:realm:userPassword', path), 'secret');
  assert.equal(await found(lookups, 'dbmjz', '<; user; realm; userPassword', path), 'secret');
  assert.equal(await found(lookups, 'dbmjz', 'a: :b', path), 'empty item');
  assert.equal(await found(lookups, 'dbmjz', 'a::b', path), 'colon');
  assert.equal(await found(lookups, 'dbmnz', 'user:realm:userPassword', path), 'not found');
});

test('dbm: a search that comes upon damage is deferred', async () => {
  const path = directory.write('damaged', damaged);
  assert.match(
    await found(lookups, 'dbm', 'key', path),
    /^defer: dbm: corrupt file .* \(page \d says that it is page 77\)$/,
  );
});

test('dbm: a table may change from one format to the other', async () => {
  const path = directory.write('both', berkeleyFixture('small'));
  assert.equal(await found(lookups, 'dbm', 'key', path), 'value');
  directory.write('both', cdbOf([['key', 'of cdb']], '\0'));
  assert.equal(await found(lookups, 'dbm', 'key', path), 'of cdb');
});
