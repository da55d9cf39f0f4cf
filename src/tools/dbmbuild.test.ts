import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Cdb } from '../lib/cdb.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { dbm, dbmnz } from '../lookups/dbm.ts';
import { Lookups } from '../lookups/lookups.ts';
import { lsearch } from '../lookups/lsearch.ts';
import { found } from '../lookups/single-key-contract.ts';
import * as files from '../safe/files.ts';
import { dbmbuild } from './dbmbuild.ts';

const directory = new TestDirectory();
const lookups = new Lookups([dbm, dbmnz, lsearch], 5);
const table = directory.file('table.db');
after(() => {
  lookups.close();
  directory.remove();
});

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], stdin = ''): Promise<Run> {
  let out = '';
  let err = '';
  const status = await dbmbuild(args, {
    stdin: pieces(stdin),
    out(text) {
      out += text;
    },
    err(text) {
      err += text;
    },
  });
  return { status, out, err };
}

async function* pieces(text: string, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1');
}

/** Makes `table` out of the text. */
function build(text: string, ...options: readonly string[]): Promise<Run> {
  return run([...options, directory.write('source', text), table]);
}

/** The value as it is stored. */
function stored(key: string): string | undefined {
  const opened = new Cdb(files.open(table));
  try {
    return opened.find(Buffer.from(key, 'latin1'));
  } finally {
    opened.close();
  }
}

/** Text, what is said of it, and what is stored, as with the original program. */
const sources: readonly (readonly [text: string, out: string, entries: Readonly<Record<string, string>>])[] = [
  ['', '0 entries written\n', {}],
  ['\n\n# c\n', '0 entries written\n', {}],
  ['k', '1 entry written\n', { k: '' }],
  ['k v', '1 entry written\n', { k: 'v' }],
  ['k :\tv\t\r\n', '1 entry written\n', { k: 'v' }],
  ['a: b\n c\n', '1 entry written\n', { a: 'b c' }],
  ['a: b\n#x\n\n \n c\n\td\ne: f\n', '2 entries written\n', { a: 'b c d', e: 'f' }],
  ['a: b\n  #x\n', '1 entry written\n', { a: 'b #x' }],
  ['a\n c\n', '1 entry written\n', { a: ' c' }],
  ['a::b\n', '1 entry written\n', { a: ':b' }],
  ['a : : b\n', '1 entry written\n', { a: ': b' }],
  ['A\xc9: B\xc9\n', '1 entry written\n', { 'a\xc9': 'B\xc9' }],
  ['a\xa0b: \xa0\n', '1 entry written\n', { 'a\xa0b': '\xa0' }],
  ['"A b": c\n"d"e\n"f g\n', '3 entries written\n', { 'a b': 'c', d: 'e', 'f g': '' }],
  ['"a\\"b\\x41\\101\\n\\\\z": c\n', '1 entry written\n', { 'a"baa\n\\z': 'c' }],
  ['"a\\b\\f\\v\\t\\r\\q": d', '1 entry written\n', { 'abfv\t\rq': 'd' }],
  ['"a\\400b\\8\\0z\\x": d', '1 entry written\n', { 'a\0b8\0z\0': 'd' }],
  ['"k\\', '1 entry written\n', { 'k\\': '' }],
  ['a: b\0c\nd: e\n', '2 entries written\n', { a: 'b', d: 'e' }],
  ['\0: c\n', '0 entries written\n', {}],
  ['  k: v  \nl: w\n', 'Unexpected continuation line ignored\n  k: v\n\n1 entry written\n', { l: 'w' }],
  ['   \n# c\nl: w\n', '1 entry written\n', { l: 'w' }],
  [': c\n', '1 entry written\n', { '': 'c' }],
];

for (const [text, out, entries] of sources) {
  test(`the source ${JSON.stringify(text)} makes the table that the original makes`, async () => {
    assert.deepEqual(await build(text), { status: 0, out, err: '' });
    for (const [key, value] of Object.entries(entries)) assert.equal(stored(`${key}\0`), `${value}\0`, key);
  });
}

test('letters of keys keep their case with -nolc', async () => {
  await build('MiXeD: case\n');
  assert.deepEqual([stored('mixed\0'), stored('MiXeD\0')], ['case\0', undefined]);
  await build('MiXeD: case\n', '-nolc');
  assert.deepEqual([stored('mixed\0'), stored('MiXeD\0')], [undefined, 'case\0']);
});

test('with -nozero neither keys nor values end in a binary zero', async () => {
  await build('A: v\n', '-nozero', '-nolc');
  assert.deepEqual([stored('A'), stored('A\0')], ['v', undefined]);
  assert.equal(await found(lookups, 'dbmnz', 'A', table), 'v');
  assert.equal(await found(lookups, 'dbm', 'A', table), 'not found');
});

const warning = '** Duplicate key "k"\n';
const one = '1 entry written\n1 duplicate key \n';
const duplicates: readonly (readonly [options: readonly string[], Run, value: string])[] = [
  [[], { status: 1, out: one, err: warning }, 'first'],
  [['-noduperr'], { status: 0, out: one, err: warning }, 'first'],
  [['-lastdup'], { status: 1, out: one, err: warning }, 'second'],
  [['-nowarn'], { status: 1, out: one, err: '' }, 'first'],
  [['-nowarn', '-lastdup', '-noduperr'], { status: 0, out: one, err: '' }, 'second'],
];

for (const [options, expected, value] of duplicates) {
  test(`a duplicate key is treated as ${options.join(' ') || 'usual'}`, async () => {
    assert.deepEqual(await build('k: first\nK: second\n', ...options), expected);
    assert.equal(await found(lookups, 'dbm', 'k', table), value);
  });
}

test('several duplicate keys are counted', async () => {
  assert.deepEqual(await build('a: 1\na: 2\nb: 3\na: 4\n', '-lastdup'), {
    status: 1,
    out: '2 entries written\n2 duplicate keys \n',
    err: '** Duplicate key "a"\n** Duplicate key "a"\n',
  });
  assert.equal(stored('a\0'), '4\0');
});

test('a hyphen stands for standard input', async () => {
  assert.deepEqual(await run(['-', table], 'key: from stdin,\n  in pieces\n'), {
    status: 0,
    out: '1 entry written\n',
    err: '',
  });
  assert.equal(await found(lookups, 'dbm', 'key', table), 'from stdin, in pieces');
});

const usage = { status: 1, out: 'usage: exim_dbmbuild [-nolc] <source file> <dbm base name>\n', err: '' };

for (const args of [
  [],
  ['a'],
  ['a', 'b', 'c'],
  ['-nolc'],
  ['-nolc', 'a'],
  ['-bogus', 'a', 'b'],
  ['-'],
  ['a', '-nolc', 'b'],
]) {
  test(`the arguments [${args.join(' ')}] are answered with the usage`, async () => {
    assert.deepEqual(await run(args), usage);
  });
}

test('a source and a target of the same name are refused', async () => {
  const expected = { status: 1, out: 'exim_dbmbuild: input and output filenames are the same\n', err: '' };
  assert.deepEqual(await run(['-', '-']), expected);
  assert.deepEqual(await run([table, table]), expected);
});

const abandoned: readonly (readonly [what: string, text: string, reason: string])[] = [
  ['an overlong line', `k: ${'v'.repeat(19_996)}\n`, 'Overlong line read: max permitted length is 19999'],
  ['an overlong comment', `#${'v'.repeat(19_998)}`, 'Overlong line read: max permitted length is 19999'],
  ['an overlong key', `${'k'.repeat(256)}: v\n`, 'Keys longer than 255 characters cannot be handled'],
  [
    'overlong data',
    `k: v\n${` ${'w'.repeat(19_900)}\n`.repeat(6)}`,
    'Continued set of lines is too long: max permitted length is 99999',
  ],
];

for (const [what, text, reason] of abandoned) {
  test(`${what} ends the work, and the old table stays`, async () => {
    await build('key: old\n');
    assert.deepEqual(await build(`key: new\n${text}`), { status: 2, out: `${reason}\ndbmbuild abandoned\n`, err: '' });
    assert.equal(await found(lookups, 'dbm', 'key', table), 'old');
    assert.deepEqual(directory.names, ['source', 'table.db']);
  });
}

test('lines, keys and data just within the limits are taken', async () => {
  assert.equal((await build(`k: ${'v'.repeat(19_995)}\n"${'\\n'.repeat(255)}": w\n`)).out, '2 entries written\n');
  assert.equal(stored('k\0')?.length, 19_996);
  assert.equal(stored(`${'\n'.repeat(255)}\0`), 'w\0');
  const last = 99_998 - 1 - 9 * 10_001;
  assert.equal((await build(`k: v\n${` ${'w'.repeat(10_000)}\n`.repeat(9)} ${'x'.repeat(last - 1)}`)).status, 0);
  assert.equal(stored('k\0')?.length, 99_999);
});

test('a source that is not there leaves the old table', async () => {
  await build('key: old\n');
  const missing = directory.file('missing');
  assert.deepEqual(await run([missing, table]), {
    status: 1,
    out: `exim_dbmbuild: unable to open ${missing}: No such file or directory\n`,
    err: '',
  });
  assert.equal(await found(lookups, 'dbm', 'key', table), 'old');
});

test('a source that cannot be read leaves the old table', async () => {
  await build('key: old\n');
  assert.deepEqual(await run([directory.path, table]), {
    status: 2,
    out: `exim_dbmbuild: unable to read ${directory.path}: Is a directory\ndbmbuild abandoned\n`,
    err: '',
  });
  assert.equal(await found(lookups, 'dbm', 'key', table), 'old');
});

test('standard input is let go of when the work is abandoned, and told of when it fails', async () => {
  let released = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(10_000, 'x');
    } finally {
      released = true;
    }
  }
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('k: v\n');
    throw Object.assign(new Error('read failed'), { code: 'EIO' });
  }
  const quiet = { out() {}, err() {} };
  assert.equal(await dbmbuild(['-', table], { ...quiet, stdin: endless() }), 2);
  assert.equal(released, true);
  let out = '';
  const say = (text: string): void => {
    out += text;
  };
  assert.equal(await dbmbuild(['-', table], { stdin: broken(), out: say, err: say }), 2);
  assert.equal(out, 'exim_dbmbuild: unable to read -: Input/output error\ndbmbuild abandoned\n');
});

test('a target that cannot be made or replaced is told, and nothing is left', async () => {
  const source = directory.write('source', 'k: v\n');
  assert.deepEqual(await run([source, '/nonexistent/x.db']), {
    status: 1,
    out: 'exim_dbmbuild: unable to create /nonexistent/x.db.dbmbuild_temp: No such file or directory\n',
    err: '',
  });
  const inTheWay = directory.file('directory');
  files.makeDirectory(inTheWay, 0o700);
  assert.deepEqual(await run([source, inTheWay]), {
    status: 1,
    out: `1 entry written\nUnable to rename ${inTheWay}.dbmbuild_temp as ${inTheWay}\n`,
    err: '',
  });
  files.removeDirectory(inTheWay);
  assert.deepEqual(directory.names, ['source', 'table.db']);
});

test('while a table is made, readers find the old one', async () => {
  await build('key: old\n');
  let seen = '';
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('key: new\n');
    seen = await found(lookups, 'dbm', 'key', table);
  }
  const quiet = { out() {}, err() {} };
  assert.equal(await dbmbuild(['-', table], { stdin: slowly(), ...quiet }), 0);
  assert.equal(seen, 'old');
  assert.equal(await found(lookups, 'dbm', 'key', table), 'new');
});

test('a table finds what lsearch finds in its source', async () => {
  const part = fc.constantFrom('a', 'B', 'key', ': ', ' ', '\n', '\n ', '"x y"', '\xe9', 'value');
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 60 }), async (parts) => {
      const text = `${parts.join('')}\n`.replace(/\n\s*\n/g, '\n');
      await build(text, '-nowarn');
      const source = directory.write('searched', text);
      for (const key of ['a', 'b', 'key', 'x y', 'ab', 'keykey', 'value']) {
        assert.equal(await found(lookups, 'dbm', key, table), await found(lookups, 'lsearch', key, source), key);
      }
    }),
    { numRuns: 100 },
  );
});
