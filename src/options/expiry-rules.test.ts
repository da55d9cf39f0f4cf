import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiryRules } from './expiry-rules.ts';

const row = expiryRules('');
const read = (text: string) => {
  const reading = row.read(text, 'expire_rules');
  return 'error' in reading ? reading.error : (reading.value?.rules ?? []);
};

test('a rule is a path with asterisks, an age, and words', () => {
  assert.deepEqual(read('/var/mail/**/*Junk/cur/* 10d'), [
    {
      pattern: '/var/mail/**/*Junk/cur/*',
      directory: '/var/mail',
      components: ['**', '*Junk', 'cur', '*'],
      age: 864_000,
      by: 'mtime',
      empties: false,
      user: undefined,
    },
  ]);
  const [rule] = read('/var/mail/.tmda/pending/*  2w1d  ctime empty user=root');
  assert.ok(typeof rule === 'object');
  assert.deepEqual([rule.age, rule.by, rule.empties, rule.user?.uid], [15 * 86_400, 'ctime', true, 0]);
});

test('a path without asterisks is one file of its directory', () => {
  const [rule] = read('/var/log/tmda/incoming 0s empty');
  assert.ok(typeof rule === 'object');
  assert.deepEqual([rule.directory, rule.components], ['/var/log/tmda', ['incoming']]);
});

test('rules stand in a list, with any separator', () => {
  assert.equal(read('/a/* 1d : /b/* 2d :').length, 2);
  assert.equal(read('<; /a/x:y/* 1d ; /b/* 2d').length, 2);
  assert.equal(read('').length, 0);
});

test('what could hit more than was meant is refused', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'mail/* 1d': /"mail\/\*" is no absolute path/,
    '/var/../etc/* 1d': /is no absolute path without/,
    '/var//mail/* 1d': /is no absolute path without/,
    '/var/mail/ 1d': /is no absolute path without/,
    '/* 1d': /must begin with the name of a directory/,
    '/**/x 1d': /must begin with the name of a directory/,
    '/file 1d': /must begin with the name of a directory/,
    '/var/** 1d': /\*\* may stand once, between slashes/,
    '/var/a**/x 1d': /\*\* may stand once/,
    '/var/**/a/**/x 1d': /\*\* may stand once/,
    '/var/mail/*': /an age such as 10d is missing behind "\/var\/mail\/\*"/,
    '/var/mail/* ten': /an age such as 10d is missing/,
    '/var/mail/* 1d remove': /"remove" is none of ctime, empty, user=name/,
    '/var/mail/* 1d user=no-such-user': /user no-such-user was not found/,
  };
  for (const [text, expected] of Object.entries(refused)) assert.match(String(read(text)), expected, text);
  assert.match(String(read(Array.from({ length: 1001 }, () => '/a/* 1d').join(':'))), /more than 1000 rules/);
});

test('-bP shows the rules as they are written', () => {
  const reading = row.read('/a/* 1d : /b/* 2d', 'x');
  assert.equal('error' in reading ? '' : row.print('x', reading.value), 'x = /a/* 1d : /b/* 2d');
  assert.equal(row.print('x', undefined), 'x = ');
});
