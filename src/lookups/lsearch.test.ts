import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { Lookups } from './lookups.ts';
import { lsearch } from './lsearch.ts';
import { found, singleKeyContract } from './single-key-contract.ts';
import { testContext } from './test-context.ts';
import { lsearchOf } from './test-lsearch.ts';

singleKeyContract({
  driver: lsearch,
  tableOf: lsearchOf,
  keys: ['key', 'empty', 'long', '8bit\xe9', 'with blanks', 'missing'],
  directoryProblem: (path) => `${path} is not a regular file (lsearch lookup)`,
  broken: [],
});

const directory = new TestDirectory();
const lookups = new Lookups([lsearch], 5);
after(() => {
  lookups.close();
  directory.remove();
});

/** Comments that make a table too large to be kept in memory. */
const padding = `${'# a line of padding\n'.repeat(15_000)}`;

test('lsearch: letters are the same in either case, other octets are not', async () => {
  const path = directory.write('case', 'MiXed: 1\na\xc9: 2\na\xe9: 3\n');
  for (const key of ['mixed', 'MIXED', 'MiXed']) assert.equal(await found(lookups, 'lsearch', key, path), '1');
  assert.equal(await found(lookups, 'lsearch', 'A\xc9', path), '2');
  assert.equal(await found(lookups, 'lsearch', 'a\xe9', path), '3');
});

test('lsearch: the first entry with a key counts', async () => {
  for (const before of ['', padding]) {
    const path = directory.write('twice', `${before}a: 1\nb: 2\nA: 3\n"a": 4\n`);
    assert.equal(await found(lookups, 'lsearch', 'a', path), '1');
    assert.equal(await found(lookups, 'lsearch', 'b', path), '2');
  }
});

test('lsearch: ret=full answers the key, too, without its quotes', async () => {
  const path = directory.write('full', '"a b" : v\n w\n');
  assert.equal(await found(lookups, 'lsearch,ret=full', 'A B', path), 'a b : v w');
  assert.equal(await found(lookups, 'lsearch,ret=other', 'a b', path), 'v w');
  assert.equal(await found(lookups, 'lsearch,ret=key', 'A B', path), 'A B');
});

test('lsearch: partial keys and defaults are found', async () => {
  const path = directory.write('partial', '*.example: p\n*@example: d\n*: s\n');
  assert.equal(await found(lookups, 'partial1-lsearch', 'a.b.example', path), 'p');
  assert.equal(await found(lookups, 'lsearch*@', 'x@example', path), 'd');
  assert.equal(await found(lookups, 'lsearch*', 'zzz', path), 's');
});

test('lsearch: a large table answers as a small one', async () => {
  const small = directory.write('small', 'a: 1\n more\n"k k": 2\nb\n');
  const large = directory.write('large', `${padding}a: 1\n more\n${padding}"k k": 2\nb\n${padding}`);
  for (const key of ['a', 'k k', 'b', 'c', '#', '# a']) {
    assert.equal(await found(lookups, 'lsearch', key, large), await found(lookups, 'lsearch', key, small), key);
  }
});

test('lsearch: all entries of a table of several pieces are found', async () => {
  const count = 40_000;
  let text = '';
  for (let i = 0; i < count; i++)
    text += `user${i}@example.com: value ${i}${i % 100 === 0 ? `\n\tcontinued ${i}` : ''}\n`;
  text += `long: ${'x'.repeat(3_000_000)}\nlast: entry\n`;
  const path = directory.write('many', text);
  for (let i = 0; i < count; i += 371) {
    const value = `value ${i}${i % 100 === 0 ? ` continued ${i}` : ''}`;
    assert.equal(await found(lookups, 'lsearch', `USER${i}@example.com`, path), value);
  }
  assert.equal((await found(lookups, 'lsearch', 'long', path)).length, 3_000_000);
  assert.equal(await found(lookups, 'lsearch', 'last', path), 'entry');
  assert.equal(await found(lookups, 'lsearch', `user${count}@example.com`, path), 'not found');
});

test('lsearch: a table that is one key over and over is searched all the same', async () => {
  const path = directory.write('same', 'same: key\n'.repeat(40_000));
  assert.equal(await found(lookups, 'lsearch', 'same', path), 'key');
});

test('lsearch: an entry that is too long is refused and not read', async () => {
  const path = directory.write(
    'endless',
    `a: 1\nb: ${'x'.repeat(1000)}\n${` ${'x'.repeat(1000)}\n`.repeat(70_000)}c: 2\n`,
  );
  assert.equal(await found(lookups, 'lsearch', 'a', path), '1');
  assert.match(await found(lookups, 'lsearch', 'b', path), /^defer: an entry of .*endless is longer than 16 MB$/);
  assert.equal(await found(lookups, 'lsearch', 'c', path), '2');
});

test('lsearch: a table that is cut off while it is open is told, and no half entry is answered', async () => {
  const path = directory.write('cut', `${padding}a: 1\nb: ${'long '.repeat(1000)}\n`);
  const table = lsearch.open(path);
  const search = async (key: string): Promise<unknown> => table.find(key, new Map(), testContext());
  assert.deepEqual(await search('a'), { outcome: 'found', value: '1' });
  const file = files.open(path, files.readWrite);
  files.truncate(file, files.statOpen(file).size - 2000);
  files.close(file);
  const wanted = { outcome: 'defer', message: `${path} became shorter while it was read` };
  assert.deepEqual(await search('b').catch((error: Error) => ({ outcome: 'defer', message: error.message })), wanted);
  table.close();
});

test('lsearch: a table that is closed while it is searched stays open until it was', async () => {
  const path = directory.write('closed', `${padding}a: 1\n`);
  const table = lsearch.open(path);
  const answers = [1, 2, 3].map(() => table.find('a', new Map(), testContext()));
  table.close();
  const other = files.open(directory.write('other', 'x'.repeat(400_000)));
  assert.deepEqual(
    await Promise.all(answers),
    answers.map(() => ({ outcome: 'found', value: '1' })),
  );
  files.close(other);
});

test('lsearch: whatever the text is, small and large tables answer the same', async () => {
  const parts = fc.array(fc.constantFrom('a', 'b', 'key', ':', ' ', '\n', '\n', '\n ', '\n#', '"', '\\', '\r', '\0'), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(parts, async (pieces) => {
      const text = pieces.join('');
      const small = directory.write('fuzz-small', text);
      const large = directory.write('fuzz-large', `${padding}${text}`);
      for (const key of ['a', 'b', 'key', 'ab', '\\', ' ']) {
        assert.equal(await found(lookups, 'lsearch', key, large), await found(lookups, 'lsearch', key, small));
      }
    }),
    { numRuns: 60 },
  );
});
