import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import { cdb } from './cdb.ts';
import { Lookups } from './lookups.ts';
import { found, singleKeyContract } from './single-key-contract.ts';
import { cdbOf } from './test-cdb.ts';

singleKeyContract({
  driver: cdb,
  tableOf: (entries) => cdbOf(entries),
  keys: ['key', 'empty', 'long', '8bit\xe9', 'with  blanks ', 'missing'],
  directoryProblem: (path) => `failed to open cannot read header from ${path} for cdb lookup: Is a directory`,
  broken: [
    {
      what: 'a file without room for the pointers',
      data: Buffer.alloc(2047),
      outcome: 'error',
      message: (path) => `failed to open ${path} too short for cdb lookup`,
    },
    {
      what: 'a pointer that leads out of the file',
      data: Buffer.alloc(2048, 0x7f),
      outcome: 'defer',
      message: (path) => `cdb: corrupt cdb file ${path} (too short)`,
    },
  ],
});

const directory = new TestDirectory();
const lookups = new Lookups([cdb], 5);
after(() => {
  lookups.close();
  directory.remove();
});

test('cdb: keys are taken as they are, and a value ends at its first binary zero', async () => {
  const path = directory.write(
    'table',
    cdbOf([
      ['Key', 'upper'],
      ['key', 'lower'],
      ['zero', 'before\0after'],
      ['ended', 'value\0'],
      ['key\0', 'not this one'],
    ]),
  );
  assert.equal(await found(lookups, 'cdb', 'Key', path), 'upper');
  assert.equal(await found(lookups, 'cdb', 'key', path), 'lower');
  assert.equal(await found(lookups, 'cdb', 'KEY', path), 'not found');
  assert.equal(await found(lookups, 'cdb', 'zero', path), 'before');
  assert.equal(await found(lookups, 'cdb', 'ended', path), 'value');
});

test('cdb: partial keys and defaults are those of all single-key lookups', async () => {
  const path = directory.write(
    'partial',
    cdbOf([
      ['*.example', 'partial'],
      ['*@a.example', 'default of the domain'],
      ['*', 'default'],
    ]),
  );
  assert.equal(await found(lookups, 'partial1-cdb', 'b.a.example', path), 'partial');
  assert.equal(await found(lookups, 'cdb*@', 'someone@a.example', path), 'default of the domain');
  assert.equal(await found(lookups, 'cdb*', 'something', path), 'default');
  assert.equal(await found(lookups, 'cdb,ret=key', '*', path), '*');
});
