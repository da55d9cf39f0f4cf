/** Kinds of option whose value is a text, and what tables do; values and messages are those of the real Exim 4.96. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addressList,
  choice,
  domainList,
  fixed,
  flag,
  group,
  hostList,
  integer,
  localPartList,
  repeatedTemplate,
  stringList,
  template,
  time,
  user,
} from './kinds.ts';
import { groupList, userList } from './name-lists.ts';
import { alsoCalled, type OptionRow, standardValues, withoutEffect } from './table.ts';

/** Checks a row against texts and the line that `-bP` shows after each, or what is said against it. */
function answers<T>(row: OptionRow<T>, cases: Readonly<Record<string, string>>): void {
  for (const [text, expected] of Object.entries(cases)) assert.equal(setTo(row, text), expected, text);
}

function setTo<T>(row: OptionRow<T>, text: string): string {
  const reading = row.read(text, 'x');
  return 'error' in reading ? reading.error : row.print('x', reading.value);
}

describe('a text', () => {
  it('is the rest of the line, or is quoted', () => {
    for (const row of [fixed(''), template('')] as readonly OptionRow<unknown>[]) {
      answers(row, {
        'a b': 'x = a b',
        '"a b"': 'x = a b',
        '" a "': 'x =  a ',
        "'a'": "x = 'a'",
        'a"b': 'x = a"b',
        'a\\"b': 'x = a\\"b',
        '"a\\\\b"': 'x = a\\b',
        '"\\x41\\101\\q"': 'x = AAq',
        '"a"   ': 'x = a',
        '"a': 'missing quote at end of string value for x',
        '"': 'missing quote at end of string value for x',
        '"a" b': 'extra characters follow string value for x',
      });
      assert.equal(row.print('x', undefined), 'x = ');
    }
  });

  it('that is wrong as an expansion is taken all the same', () => {
    answers(template(''), { '${if': 'x = ${if', $: 'x = $', '"a${y}"': 'x = a${y}' });
  });

  it('may be joined from several settings', () => {
    const row = repeatedTemplate('', ' : ');
    const values = ['a', '"b"', '$c'].map((text) => row.read(text, 'x'));
    const joined = values.reduce((earlier, later) => {
      assert.ok('value' in earlier && 'value' in later && row.again !== undefined);
      return { value: row.again(earlier.value, later.value) };
    });
    assert.ok('value' in joined);
    assert.equal(row.print('x', joined.value), 'x = a : b : $c');
  });

  it('can be a list of any kind', () => {
    const kinds = [
      [domainList, 'domain'],
      [hostList, 'host'],
      [addressList, 'address'],
      [localPartList, 'localpart'],
    ] as const;
    for (const [make, kind] of kinds) {
      answers(make(''), {
        'a : b': 'x = a : b',
        '"a:b"': 'x = a:b',
        '"a': 'missing quote at end of string value for x',
      });
      const reading = make('').read('a', 'x');
      assert.ok('value' in reading);
      assert.equal(reading.value?.kind, kind);
      assert.equal(make('', '*').standard?.template.source, '*');
    }
  });

  it('can be a list of strings, which keeps how it was written', () => {
    answers(stringList(''), { 'a : b': 'x = a : b', 'a::b': 'x = a::b', '<;a;b': 'x = <;a;b', '"a:b"': 'x = a:b' });
    const reading = stringList('').read('<; a ; b:c', 'x');
    assert.ok('value' in reading);
    assert.deepEqual(reading.value?.items, ['a', 'b:c']);
  });

  it('can be one of some words', () => {
    const row = choice('', ['udp', 'tcp'], 'udp');
    answers(row, { tcp: 'x = tcp', '"udp"': 'x = udp' });
    for (const text of ['', 'UDP', 'tcp x', 'sctp'])
      assert.match(setTo(row, text), /^"[^"]*" is not a valid value for the "x" option/);
  });
});

describe('a user or group', () => {
  it('is looked up by name or number, or expanded when used', () => {
    answers(user(''), {
      root: 'x = root',
      '0': 'x = root',
      '"root"': 'x = root',
      '99999': 'x = 99999',
      $y: 'x = $y',
      '${y': 'x = ${y',
      'no-such-user': 'user no-such-user was not found',
      'root:daemon': 'user root:daemon was not found',
      'root x': 'user root x was not found',
      '12x': 'user 12x was not found',
    });
    answers(group(''), {
      root: 'x = root',
      '99999': 'x = 99999',
      '-2': 'x = -2',
      $y: 'x = $y',
      'no-such-group': 'group no-such-group was not found',
    });
    assert.equal(user('').print('x', undefined), 'x = ');
  });

  it('is looked up in lists', () => {
    answers(userList(''), {
      root: 'x = root',
      'root : daemon': 'x = root:daemon',
      '0:daemon': 'x = root:daemon',
      'root:': 'x = root',
      '"root:daemon"': 'x = root:daemon',
      '12345': 'x = 12345',
      '-1': 'x = 4294967295',
      'root:$y': 'x = root:$y',
      '': 'x =',
      'root:no-such-user': 'user no-such-user was not found',
    });
    answers(groupList(''), {
      'root:daemon': 'x = root:daemon',
      '': 'x =',
      'root:no-such-group': 'group no-such-group was not found',
    });
    assert.equal(userList('').print('x', undefined), 'x =');
  });
});

describe('a table', () => {
  it('gives the values of options that nobody sets', () => {
    const table = { a: flag('', true), b: integer('', 5), c: template(''), d: time('', 60) };
    assert.deepEqual(standardValues(table), { a: true, b: 5, c: undefined, d: 60 });
  });

  it('marks other names and options without effect', () => {
    assert.deepEqual(alsoCalled(flag(''), 'b', 'c').synonyms, ['b', 'c']);
    assert.equal(withoutEffect(flag('')).unused, true);
    assert.equal(flag('').unused, false);
  });
});
