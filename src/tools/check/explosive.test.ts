import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegexLimit, regex } from '../../lib/regex.ts';
import { isExplosive } from './explosive.ts';

/** Patterns, and a text with which they take too long, or would if they could. */
const explosive: readonly (readonly [string, string])[] = [
  ['^(a+)+$', 'a'.repeat(40)],
  ['^(a*)*b', 'a'.repeat(40)],
  ['^(\\w+\\s?)*$', 'a'.repeat(40)],
  ['^([a-z.]+\\.?)+@', 'a'.repeat(40)],
  ['^(a|a)*$', 'a'.repeat(40)],
  ['^(?:.|\\s)*x$', `x${' '.repeat(40)}`],
  ['^((ab)*)*c', 'ab'.repeat(40)],
  ['^(x(a+|b))?(([a-z])+.)+[A-Z]([a-z])+$', `${'a'.repeat(60)}A`],
  ['^(a+){20,}$', 'a'.repeat(60)],
  ['^(?:(?:a+))*$', 'a'.repeat(40)],
  ['^([\\d]+|\\d+x)*$', '1'.repeat(40)],
];

const harmless = [
  '^([a-z]+\\.)*example\\.com$',
  '^(a+b)*$',
  '^(\\d+,)*\\d+$',
  '^(a+)+?b{2}$'.replace('+?', ''),
  '^(a++)*$',
  '^(?>a+)*$',
  '^(a|b)*$',
  '^(foo|bar)+$',
  '^(a+){1,3}$',
  '\\d+\\.\\d+\\.\\d+',
  '^[^@]+@[^@]+$',
  '^(?:x\\Q*+\\E)*$',
  '^(?i:abc)*$',
  '^\\s*(?:#.*)?$',
  '(?<name>[a-z]+)=(?<value>[^;]*);',
];

test('patterns that take too long are found, and PCRE2 proves that they do', () => {
  for (const [pattern, text] of explosive) {
    assert.equal(isExplosive(pattern), true, pattern);
    assert.throws(() => regex(pattern).match(`${text}!b@c`), RegexLimit, pattern);
  }
});

test('patterns whose rounds end in one place only are not blamed, and are quick with long texts', () => {
  for (const pattern of harmless) {
    assert.equal(isExplosive(pattern), false, pattern);
    for (const text of ['a', 'ab', '1', ' ', 'a.', '1,', 'x']) {
      assert.doesNotThrow(() => regex(pattern).match(`${text.repeat(400)}!`), pattern);
    }
  }
});

test('what is not understood is not blamed, however long or deep it is', () => {
  for (const pattern of [
    '(a+)\\1+',
    '(?R)+',
    '((a',
    `${'('.repeat(5000)}a${')*'.repeat(5000)}`,
    '[',
    'a{',
    `(${'a'.repeat(20_000)}+)+`,
  ]) {
    assert.equal(isExplosive(pattern), false, pattern.slice(0, 20));
  }
});
