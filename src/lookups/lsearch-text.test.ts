import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EntryFinder, hashKey, hashKeyOfLine, keyOfLine, longestKeyLine, readEntry } from './lsearch-text.ts';

/** Text, key, value and the whole, as Exim 4.96 takes them. */
const entries: readonly (readonly [text: string, key: string, value: string, full: string])[] = [
  ['k: v\n', 'k', 'v', 'k: v'],
  ['k:v', 'k', 'v', 'k:v'],
  ['k', 'k', '', 'k'],
  ['k   v  w  \n  more  \n', 'k', 'v  w more', 'k   v  w more'],
  ['k\n more\n', 'k', ' more', 'k more'],
  ['k:\n more\n', 'k', ' more', 'k: more'],
  ['k: a\n b\n\tc\nl: x\n', 'k', 'a b c', 'k: a b c'],
  ['k: a\n #c\n  x\n', 'k', 'a #c x', 'k: a #c x'],
  ['k: a\n#c\n more\n', 'k', 'a', 'k: a'],
  ['k: a\n\n more\n', 'k', 'a', 'k: a'],
  ['k: a\n \t \n more\n', 'k', 'a', 'k: a'],
  ['k: v \\\n w\n', 'k', 'v \\ w', 'k: v \\ w'],
  ['a  b : c\n', 'a', 'b : c', 'a  b : c'],
  ['a:: b\n', 'a', ': b', 'a:: b'],
  ['a : : b\n', 'a', ': b', 'a : : b'],
  ['a#b: c\n', 'a#b', 'c', 'a#b: c'],
  ['a\fb: c \v\n', 'a', 'b: c', 'a\fb: c'],
  ['a\xa0b: \xa0c\xa0\n', 'a\xa0b', '\xa0c\xa0', 'a\xa0b: \xa0c\xa0'],
  ['k:v\r\n c\r\nl\r\n', 'k', 'v c', 'k:v c'],
  [': v\n', '', 'v', ': v'],
  ['"a b" : v\n', 'a b', 'v', 'a b : v'],
  ['"a\\tb"v\n c\n', 'a\tb', 'v c', 'a\tbv c'],
  ['"a\\"b\\\\\\x41\\101\\q\\b": v\n', 'a"b\\AAq\b', 'v', 'a"b\\AAq\b: v'],
  ['"a"b": 1\n', 'a', 'b": 1', 'ab": 1'],
  ['"a b  \n c: d\n', 'a b', ' c: d', 'a b c: d'],
  ['"a\\', 'a\\', '', 'a\\'],
  ['""\n', '', '', ''],
  ['k: v  ', 'k', 'v  ', 'k: v  '],
  ['k: v\n   ', 'k', 'v ', 'k: v '],
  ['k: v\n w  ', 'k', 'v w  ', 'k: v w  '],
  ['k: a\0b\nl: c\n', 'k', 'al: c', 'k: al: c'],
  ['k\0x: a\nl: c\n', 'k', 'l: c', 'kl: c'],
  ['k: a  \0zzz\n  more\n', 'k', 'a    more', 'k: a    more'],
  ['k: a\n b\0zzz\nl: x\n  m\nn: y\n', 'k', 'a bl: x m', 'k: a bl: x m'],
  ['k: a\n \0zzz\n more\nn: y\n', 'k', 'a  more', 'k: a  more'],
  ['k: a\0', 'k', 'a', 'k: a'],
];

for (const [text, key, value, full] of entries) {
  test(`the entry ${JSON.stringify(text)} is read`, () => {
    assert.deepEqual(readEntry(text, true), { key, value, full });
  });
}

test('a text that breaks off within an entry tells nothing, until more of it comes', () => {
  for (const text of ['k', 'k: v', 'k: v\n', 'k: v\n ', 'k: v\n w', 'k: v\n w\n']) {
    assert.equal(readEntry(text, false), undefined, JSON.stringify(text));
  }
  for (const text of ['k: v\nl', 'k: v\n\n', 'k: v\n#', 'k: v\n \n']) {
    assert.equal(readEntry(text, false)?.value, 'v', JSON.stringify(text));
  }
});

test('a key ends where the part of the line ends that is looked at', () => {
  const entry = readEntry(`${'k'.repeat(10_000)}: v\n`, true);
  assert.equal(entry?.key, 'k'.repeat(longestKeyLine));
});

/** The keys that are found in the octets, and where their lines begin, when they are read in pieces of this size. */
function find(text: string, pieceSize: number): (readonly [number, string])[] {
  const octets = Buffer.from(text, 'latin1');
  const finder = new EntryFinder();
  const found: (readonly [number, string])[] = [];
  for (let at = 0; at < octets.length; ) {
    const piece = octets.subarray(at, at + pieceSize);
    const base = at;
    at += finder.take(piece, at + piece.length >= octets.length, (start, end) => {
      found.push([base + start, keyOfLine(piece, start, end)]);
    });
  }
  return found;
}

test('entries begin with lines that are not blank, no comment, and do not begin with a blank', () => {
  assert.deepEqual(find('a: 1\n b: 2\n\n#c: 3\n"d e": 4\n\tf\n\0g\nh\ni', 100_000), [
    [0, 'a'],
    [18, 'd e'],
    [35, 'i'],
  ]);
});

test('a line with a binary zero takes in the next line, which begins no entry', () => {
  assert.deepEqual(find('a: x\0y\nb: 1\nc: 2\n', 100_000), [
    [0, 'a'],
    [12, 'c'],
  ]);
});

test('lines that are longer than a piece begin one entry', () => {
  const text = `a: ${'x'.repeat(20_000)}\nb: 1\n${'c'.repeat(9000)}: 2\nd: 3\n`;
  assert.deepEqual(
    find(text, longestKeyLine).map(([, key]) => key.slice(0, 2)),
    ['a', 'b', 'cc', 'd'],
  );
});

const piecesOfText = fc.array(
  fc.constantFrom(
    'a',
    'key',
    ': ',
    '\n',
    '\n',
    '\n ',
    '\n#',
    '"q r"',
    '\\',
    '\r\n',
    '\0',
    'x'.repeat(700),
    'y'.repeat(3000),
  ),
  { maxLength: 60 },
);

test('the same entries are found whatever the pieces are', () => {
  fc.assert(
    fc.property(piecesOfText, fc.nat(5000), (parts, more) => {
      const text = parts.join('');
      assert.deepEqual(find(text, longestKeyLine + more), find(text, 1_000_000));
    }),
    { numRuns: 1000 },
  );
});

test('the hash of a line is the hash of its key, whatever the case of its letters', () => {
  const lines = fc.array(fc.constantFrom('a', 'B', 'z', 'Z', '"', '\\', ' ', ':', '\xc9', '\xe9', '@', '['), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(lines, (parts) => {
      const line = Buffer.from(parts.join(''), 'latin1');
      const key = keyOfLine(line, 0, line.length);
      assert.equal(hashKeyOfLine(line, 0, line.length), hashKey(key));
      assert.equal(hashKey(key.replace(/[A-Z]/g, (letter) => letter.toLowerCase())), hashKey(key));
    }),
  );
  assert.notEqual(hashKey('\xc9'), hashKey('\xe9'));
});

test('any octets are an entry, and more behind its end change nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab:" \\\n\t#\0\r'), maxLength: 60 }), (text) => {
      const whole = readEntry(text, true);
      assert.ok(whole);
      const early = readEntry(text, false);
      if (early !== undefined) assert.deepEqual(early, whole);
    }),
    { numRuns: 2000 },
  );
});
