import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Context } from '../expand/context.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { Text } from '../safe/taint.ts';
import { cdb } from './cdb.ts';
import { Lookups } from './lookups.ts';
import { found, singleKeyContract } from './single-key-contract.ts';
import { cdbOf } from './test-cdb.ts';
import { testContext } from './test-context.ts';
import { lsearchOf } from './test-lsearch.ts';
import { nwildlsearch, wildlsearch } from './wildlsearch.ts';

for (const driver of [nwildlsearch, wildlsearch]) {
  singleKeyContract({
    driver,
    tableOf: lsearchOf,
    keys: ['key', 'empty', 'long', '8bit\xe9', 'with blanks', 'missing'],
    directoryProblem: (path) => `${path} is not a regular file (lsearch lookup)`,
    broken: [],
  });
}

const directory = new TestDirectory();
const lookups = new Lookups([nwildlsearch, wildlsearch, cdb], 5);
after(() => {
  lookups.close();
  directory.remove();
});

/** Asserts what is found for each key in a table of that text. */
async function check(type: string, text: string, expected: Readonly<Record<string, string>>): Promise<void> {
  const path = directory.write('table', text);
  for (const [key, value] of Object.entries(expected)) {
    assert.equal(await found(lookups, type, key, path), value, `${key} in ${text}`);
  }
}

test('an asterisk at the beginning stands for anything, whatever the case of the letters', async () => {
  await check('nwildlsearch', '*.a.b: suffix\n*Fish: f\n', {
    'q.a.b': 'suffix',
    '.a.b': 'suffix',
    'Q.A.B': 'suffix',
    'a.b': 'not found',
    dogfISH: 'f',
    fish: 'f',
    'fish ': 'not found',
  });
});

test('elsewhere an asterisk is an asterisk', async () => {
  await check('nwildlsearch', 'b*: 1\n**: 2\nx@*: 3\n', {
    b: 'not found',
    'b*': '1',
    'x*': '2',
    x: 'not found',
    'x@y': 'not found',
  });
});

test('a circumflex begins a regular expression, which may ask for the case of the letters', async () => {
  await check('nwildlsearch', '^\\d+\\.a\\.b: digits\n^(?-i)[a-z]+$: low\n^(?-i)[A-Z]+$: up\n', {
    '12.a.b': 'digits',
    '12.A.B.c': 'digits',
    abc: 'low',
    ABC: 'up',
    aB: 'not found',
  });
});

test('other octets than letters have no case', async () => {
  await check('nwildlsearch', 'a\xc9: 1\n*b\xc9: 2\n^c\xc9: 3\n', {
    'a\xe9': 'not found',
    'A\xc9': '1',
    'ab\xe9': 'not found',
    'ab\xc9': '2',
    'c\xe9': 'not found',
    'C\xc9': '3',
  });
});

test('the first entry that matches counts, with all its lines', async () => {
  const text = '*: one\n two\n#\na: later\n';
  await check('nwildlsearch', text, { a: 'one two' });
  await check('nwildlsearch,ret=full', text, { a: '*: one two' });
});

test('an exclamation mark stands for the contrary', async () => {
  await check('nwildlsearch', '!b: 1\nb: 2\n', { a: '1', b: '2' });
  await check('nwildlsearch', '! ^b: 1\nbc: 2\n', { a: '^b: 1', b: '^b: 1' });
  await check('nwildlsearch', '"! ^b": 1\nbc: 2\n', { a: '1', bc: '2' });
  await check('nwildlsearch', '!!b: 1\n', { b: '1', '!b': 'not found' });
});

test('a key may name another lookup, which is asked with lower case letters', async () => {
  const inner = directory.write(
    'inner',
    cdbOf([
      ['inner', 'x'],
      ['UP', 'y'],
    ]),
  );
  for (const type of ['nwildlsearch', 'wildlsearch']) {
    await check(type, `cdb;${inner}  nested\n"! cdb; ${inner}": outside\n`, {
      Inner: 'nested',
      inner: 'nested',
      UP: 'outside',
    });
  }
});

test('a key that names a lookup that fails defers the search', async () => {
  await check('nwildlsearch', 'cdb;/nonexistent x\na: 1\n', {
    a: 'defer: failed to open /nonexistent for cdb lookup: No such file or directory',
  });
  await check('nwildlsearch', 'bogus;/nonexistent x\n', { a: 'defer: unknown lookup type "bogus"' });
  await check('nwildlsearch', '^( x\n', {
    a: 'defer: regular expression error in "^(": missing closing parenthesis at offset 2',
  });
});

test('a table that leads to itself defers the search', async () => {
  const path = directory.file('table');
  await check('nwildlsearch', `nwildlsearch;${path} x\n`, { a: `defer: ${path} leads to itself` });
});

test('keys of wildlsearch are expanded, those of nwildlsearch are not', async () => {
  const text = '$primary_hostname: host\n"${if eq {1}{1}{y y}{no}}": two\n^\\N\\d+$\\N: digits\n';
  await check('wildlsearch', text, {
    'Host.Example': 'host',
    'y y': 'two',
    '17': 'digits',
    $primary_hostname: 'not found',
  });
  await check('nwildlsearch', text, {
    $primary_hostname: 'host',
    'host.example': 'not found',
    '${if eq {1}{1}{y y}{no}}': 'two',
  });
});

test('a key whose expansion is forced to fail matches nothing; another failure defers', async () => {
  await check('wildlsearch', '"${if eq{1}{2}{yes}fail}": a\nb: 2\n', { yes: 'not found', b: '2' });
  const path = directory.file('table');
  await check('wildlsearch', 'a: 1\n$nothing_known: 2\nb: 3\n', {
    a: '1',
    b: `defer: failed to expand key "$nothing_known" in ${path}: unknown variable name "nothing_known"`,
  });
});

test('with ret=full the key comes as it stands in the file, not expanded', async () => {
  await check('wildlsearch,ret=full', '"${if eq{1}{1}{*.x}}" 4\n c\n', { 'a.x': '${if eq{1}{1}{*.x}} 4 c' });
});

test('a search leaves the variables of the last match alone', async () => {
  const path = directory.write('table', '^(a)(b): x\n*fish: y\n');
  const context: Context = testContext(lookups);
  context.results.numeric = [Text.tainted('zero'), Text.tainted('one')];
  for (const key of ['ab', 'dogfish', 'none']) {
    await lookups.find({ type: 'nwildlsearch', key: Text.tainted(key), fileOrQuery: Text.configured(path) }, context);
    assert.deepEqual(context.results.numeric.map(String), ['zero', 'one']);
  }
  assert.equal(context.depth, 0);
});

test('lookups in keys may take their time', async () => {
  const path = directory.write('slow', '"slow;/x": 1\n"fast": 2\n"slow;/y": 3\n');
  const slow = { ...cdb, name: 'slow', open: slowTable } as const;
  const both = new Lookups([nwildlsearch, slow], 5);
  for (const [key, value] of [
    ['/x', '1'],
    ['fast', '2'],
    ['/y', '3'],
    ['/z', 'not found'],
  ] as const) {
    assert.equal(await found(both, 'nwildlsearch', key, path), value);
  }
});

/** A table that holds its own name, and needs a while to know that. */
const slowTable: typeof cdb.open = (file) => ({
  find: async (key) => (key === file ? { outcome: 'found', value: '' } : { outcome: 'not found' }),
  close() {},
});

test('tables with more patterns than are kept, and tables too large to be kept, are searched to their end', async () => {
  const patterns = Array.from({ length: 4500 }, (_, i) => `*.d${i}.example: value ${i}\n`).join('');
  for (const text of [patterns, `${'# a line of padding\n'.repeat(15_000)}${patterns}`]) {
    await check('nwildlsearch', text, {
      'a.d0.example': 'value 0',
      'a.d999.example': 'value 999',
      'a.d1000.example': 'value 1000',
      'a.d4499.example': 'value 4499',
      'a.d4500.example': 'not found',
    });
  }
});
