/** Switches, numbers and times with good and bad texts; values and messages are those of the real Exim 4.96. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  choice,
  domainList,
  expandedFlag,
  fixed,
  fixedPoint,
  flag,
  group,
  integer,
  kilobytes,
  octal,
  size,
  stringList,
  template,
  time,
  timeList,
  user,
} from './kinds.ts';
import { groupList, userList } from './name-lists.ts';
import type { OptionRow, OptionTable } from './table.ts';

/** The line that `-bP` shows after a setting, or what is said against it. */
function setTo<T>(row: OptionRow<T>, text: string | undefined): string {
  const reading = row.read(text, 'x');
  return 'error' in reading ? reading.error : row.print('x', reading.value);
}

/** Checks a row against texts and what comes of each. */
function answers<T>(row: OptionRow<T>, cases: Readonly<Record<string, string>>): void {
  for (const [text, expected] of Object.entries(cases)) assert.equal(setTo(row, text), expected, text);
}

const rows: OptionTable = {
  integer: integer('', 0),
  size: size('', 0),
  kilobytes: kilobytes('', 0),
  octal: octal('', 0),
  fixedPoint: fixedPoint(''),
  time: time('', 0),
  timeList: timeList('', []),
  fixed: fixed(''),
  template: template(''),
  domainList: domainList(''),
  stringList: stringList(''),
  choice: choice('', ['a', 'b'], 'a'),
  user: user(''),
  group: group(''),
  userList: userList(''),
  groupList: groupList(''),
};

describe('every kind with a value', () => {
  it('misses it when there is no equals sign', () => {
    for (const [name, row] of Object.entries(rows)) {
      assert.equal(setTo(row, undefined), 'unexpected end of line (data missing) after x', name);
      assert.equal(row.isSwitch, false, name);
    }
  });

  it('answers with a value or an error to whatever stands there', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.stringMatching(/^[-+0-9kKmMgGx.:;,"\\$ {}]{0,60}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        for (const row of Object.values<OptionRow<unknown>>({
          ...rows,
          flag: flag(''),
          expandedFlag: expandedFlag(''),
        })) {
          const reading = row.read(text, 'x');
          if ('error' in reading) assert.notEqual(reading.error, '');
          else assert.match(row.print('x', reading.value), /^(?:no_)?x/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads what it showed as the same value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (value) => {
        for (const row of [integer('', 0), size('', 0), octal('', 0)]) {
          const shown = row.print('x', value).slice('x = '.length);
          assert.deepEqual(row.read(shown, 'x'), { value });
        }
        assert.deepEqual(time('', 0).read(time('', 0).print('x', value).slice(4), 'x'), { value });
      }),
    );
  });
});

describe('a switch', () => {
  it('is set by its name alone or by a word', () => {
    assert.equal(setTo(flag(''), undefined), 'x');
    answers(flag(''), { true: 'x', TRUE: 'x', yes: 'x', Yes: 'x', false: 'no_x', no: 'no_x' });
    assert.equal(flag('').isSwitch, true);
  });

  it('knows no other words', () => {
    answers(flag(''), {
      nope: '"nope" is not a valid value for the "x" option',
      truex: '"truex" is not a valid value for the "x" option',
      on: '"on" is not a valid value for the "x" option',
      'true x': 'extra characters follow "true" for boolean option x',
    });
  });

  it('can be a text to expand, where there is a dollar in it', () => {
    answers(expandedFlag(''), {
      no: 'no_x',
      $y: 'x = $y',
      '"$y"': 'x = $y',
      'yes $y': 'x = yes $y',
      a$y: 'x = a$y',
      $: 'x = $',
      maybe: '"maybe" is not a valid value for the "x" option',
      '"$y" z': 'extra characters follow string value for x',
      '"$y': 'missing quote at end of string value for x',
    });
    assert.equal(setTo(expandedFlag(''), undefined), 'x');
  });
});

describe('a number', () => {
  it('is decimal, octal or hexadecimal, with a letter for powers of 1024', () => {
    answers(integer('', 0), {
      '5': 'x = 5',
      '+5': 'x = 5',
      '-5': 'x = -5',
      '010': 'x = 8',
      '0x1F': 'x = 31',
      '0X1f': 'x = 31',
      '5k': 'x = 5120',
      '5K': 'x = 5120',
      '5m': 'x = 5242880',
      '1g': 'x = 1073741824',
      '0x10k': 'x = 16384',
      '010k': 'x = 8192',
      '00': 'x = 0',
      '-1k': 'x = -1024',
      '2147483647': 'x = 2147483647',
      '2097151k': 'x = 2147482624',
    });
  });

  it('ends where it ends, and has bounds', () => {
    answers(integer('', 0), {
      '': 'integer expected for x',
      '- 5': 'integer expected for x',
      '"5"': 'integer expected for x',
      '10x': 'extra characters follow integer value for x',
      '5 k': 'extra characters follow integer value for x',
      '08': 'extra characters follow integer value for x',
      '0x': 'extra characters follow integer value for x',
      '0xg': 'extra characters follow integer value for x',
      '1.5': 'extra characters follow integer value for x',
      '5kk': 'extra characters follow integer value for x',
      '1M1': 'extra characters follow integer value for x',
      '1e3': 'extra characters follow integer value for x',
      '2147483648': 'absolute value of integer "2147483648" is too large (overflow)',
      '2g': 'absolute value of integer "2g" is too large (overflow)',
      '3000000k': 'absolute value of integer "3000000k" is too large (overflow)',
      '99999999999999999999': 'absolute value of integer "99999999999999999999" is too large (overflow)',
    });
  });

  it('of octets is shown with K or M where it is a multiple', () => {
    answers(size('', 0), {
      '0': 'x = 0',
      '1023': 'x = 1023',
      '1024': 'x = 1K',
      '1025k': 'x = 1025K',
      '1536': 'x = 1536',
      '1048576': 'x = 1M',
      '1572864': 'x = 1536K',
      '1g': 'x = 1024M',
      '-1024': 'x = -1K',
      '10x': 'extra characters follow integer value for x',
      '': 'integer expected for x',
    });
  });

  it('of kilobytes counts them when it has no letter', () => {
    answers(kilobytes('', 0), {
      '0': 'x = 0',
      '1': 'x = 1K',
      '1023': 'x = 1023K',
      '1024': 'x = 1M',
      '1025': 'x = 1025K',
      '10M': 'x = 10M',
      '1k': 'x = 1K',
      '5kb': 'extra characters follow integer value for x',
      '1.5': 'extra characters follow integer value for x',
      '': 'integer expected for x',
    });
  });

  it('of permissions is octal with or without a zero', () => {
    answers(octal('', 0), {
      '600': 'x = 0600',
      '0600': 'x = 0600',
      '7': 'x = 07',
      '1777': 'x = 01777',
      '017777': 'x = 017777',
      '': 'octal integer expected for x',
      '8': 'octal integer expected for x',
      '"0600"': 'octal integer expected for x',
      o600: 'octal integer expected for x',
      '0600x': 'extra characters follow octal integer value for x',
      '0600 x': 'extra characters follow octal integer value for x',
      '0x1': 'extra characters follow octal integer value for x',
    });
  });

  it('with a point has up to three digits behind it', () => {
    answers(fixedPoint(''), {
      '0': 'x = 0.0',
      '1': 'x = 1.0',
      '1.5': 'x = 1.5',
      '1.25': 'x = 1.25',
      '1.125': 'x = 1.125',
      '10.050': 'x = 10.05',
      '007.5': 'x = 7.5',
      '': 'fixed-point number expected for x',
      '.5': 'fixed-point number expected for x',
      '"1"': 'fixed-point number expected for x',
      '1.5x': 'extra characters follow fixed-point value for x',
      '1,5': 'extra characters follow fixed-point value for x',
      '0x10': 'extra characters follow fixed-point value for x',
    });
    assert.deepEqual(fixedPoint('').read('1.25', 'x'), { value: 1250 });
    assert.equal(fixedPoint('').print('x', undefined), 'x =');
  });
});

describe('a time', () => {
  it('is a sum of numbers with units', () => {
    answers(time('', 0), {
      '0s': 'x = 0s',
      '5s': 'x = 5s',
      '90m': 'x = 1h30m',
      '1h30m': 'x = 1h30m',
      '30m1h': 'x = 1h30m',
      '1h1h': 'x = 2h',
      '2w3d': 'x = 2w3d',
      '604800s': 'x = 1w',
      '00005s': 'x = 5s',
      '3550w': 'x = 3550w',
    });
  });

  it('has a unit behind every number, and nothing else', () => {
    for (const text of ['', '0', '5', '1h30', '1h 30m', '1x', '1H', '-1s', '+5s', '1.5h', 's', '"5m"', '1m x']) {
      assert.equal(setTo(time('', 0), text), 'invalid time value for x', text);
    }
  });

  it('may be one of several', () => {
    answers(timeList('', []), {
      '1h': 'x = 1h',
      '1h : 90m': 'x = 1h:1h30m',
      '1h:2x': 'invalid time value for x',
      '1h:99': 'invalid time value for x',
      '1h:': 'invalid time value for x',
      ':1h': 'invalid time value for x',
      '1h::2h': 'invalid time value for x',
      '<;1h;2h': 'invalid time value for x',
      '"1h:2h"': 'invalid time value for x',
    });
    assert.equal(timeList('', [86_400]).print('x', [86_400]), 'x = 1d');
  });
});
