import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { TestDirectory } from '../lib/test-directory.ts';
import { json } from './json.ts';
import { Lookups } from './lookups.ts';
import { found, singleKeyContract } from './single-key-contract.ts';

const octets = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

singleKeyContract({
  driver: json,
  tableOf: (entries) => {
    const decoded = entries.map((pair) => pair.map((text) => Buffer.from(text, 'latin1').toString('utf8')));
    return Buffer.from(JSON.stringify(Object.fromEntries(decoded)), 'utf8');
  },
  keys: ['key', 'empty', 'long', octets('8bit\xe9'), 'with  blanks', 'missing'],
  eightBitValue: octets('café ÿ'),
  directoryProblem: (path) => `failed to open ${path} for json search: Invalid argument`,
  broken: [
    {
      what: 'a file that ends too early',
      data: Buffer.from('{"key": "val'),
      outcome: 'error',
      message: (path) => `${path} is no JSON: Unterminated string in JSON at position 12 (line 1 column 13)`,
    },
    {
      what: 'a file that is not UTF-8',
      data: Buffer.from('{"key": "caf\xe9"}', 'latin1'),
      outcome: 'error',
      message: (path) => `${path} is no JSON: The encoded data was not valid for encoding utf-8`,
    },
    {
      what: 'an empty file',
      data: Buffer.alloc(0),
      outcome: 'error',
      message: (path) => `${path} is no JSON: Unexpected end of JSON input`,
    },
  ],
});

const directory = new TestDirectory();
const lookups = new Lookups([json], 5);
after(() => {
  lookups.close();
  directory.remove();
});

async function check(text: string, expected: Readonly<Record<string, string>>): Promise<void> {
  const path = directory.write('table', text);
  for (const [key, value] of Object.entries(expected))
    assert.equal(await found(lookups, 'json', key, path), value, key);
}

test('the key is a list of steps into objects and arrays', async () => {
  const text = '{"users": {"ann": {"quota": 5, "homes": ["/a", {"b": ["c"]}]}}, "a:b": 1, "10": "ten", "list": [1]}';
  await check(text, {
    'users:ann:quota': '5',
    'users : ann : homes : 0': '/a',
    '<; users;ann;homes;1;b;0': 'c',
    'a::b': '1',
    '10': 'ten',
    'users:bob': 'not found',
    'users:ann:homes:2': 'not found',
    'users:ann:homes:-1': 'not found',
    'users:ann:homes:x': 'not found',
    'users:ann:homes:length': 'not found',
    'users:ann:quota:x': 'not found',
    'users:0': 'not found',
    'list:00000': '1',
    users: '{"ann": {"quota": 5, "homes": ["/a", {"b": ["c"]}]}}',
  });
});

test('elements are answered as text, strings without quotes', async () => {
  await check(
    '{"t": true, "f": false, "n": null, "s": "a\\"b\\u0020\\n", "o": {}, "a": [], "m": [null, "x\\"", {"k": 1}]}',
    {
      t: 'true',
      f: 'false',
      n: '',
      s: 'a"b \n',
      o: '{}',
      a: '[]',
      m: '[null, "x\\"", {"k": 1}]',
    },
  );
});

test('numbers stay as they are written', async () => {
  await check('{"a": 1.0, "b": 12345678901234567890, "c": -0, "d": 1E5, "e": [0.10, 7, 1e-7], "f": 42}', {
    a: '1.0',
    b: '12345678901234567890',
    c: '-0',
    d: '1E5',
    e: '[0.10, 7, 1e-7]',
    f: '42',
    'a:text': 'not found',
  });
});

test('names that mean something to JavaScript are names like others', async () => {
  await check('{"a": {}, "b": {"__proto__": {"x": "own"}}}', {
    'a:__proto__': 'not found',
    'a:constructor': 'not found',
    toString: 'not found',
    'b:__proto__:x': 'own',
  });
});

test('text is UTF-8', async () => {
  await check(octets('{"clé": "été", "e": "\\u00e9"}'), {
    [octets('clé')]: octets('été'),
    e: octets('é'),
    'cl\xe9': 'not found',
  });
});

test('a whole file can be one value, and deep nesting is no danger', async () => {
  await check('"text"', { x: 'not found', ':': 'not found' });
  await check('[[1]]', { '0': '[1]', '0:0': '1' });
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const path = directory.write('deep', deep);
  assert.match(await found(lookups, 'json', '0', path), /^(?:defer|error): /);
});

test('every element of any JSON is found by the way to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (value) => {
      const path = directory.write('any', octets(JSON.stringify({ k: value })));
      const answer = await found(lookups, 'json', 'k', path);
      if (typeof value === 'object' && value !== null) {
        assert.deepEqual(JSON.parse(Buffer.from(answer, 'latin1').toString('utf8')), JSON.parse(JSON.stringify(value)));
      } else if (typeof value === 'string') {
        assert.equal(answer, octets(value));
      } else {
        assert.equal(answer, value === null ? '' : JSON.stringify(value));
      }
    }),
    { numRuns: 200 },
  );
});
