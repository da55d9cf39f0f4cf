/** Lines of `-bP`: hidden values, terse lines, values that come from other options. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixedPoint, flag, integer, template } from './kinds.ts';
import { hiddenLine, optionLine, tableLines, valueLine } from './print.ts';
import { dependsOn, type Instance, standardValues } from './table.ts';

const table = {
  loud: flag('Makes noise.'),
  load: fixedPoint('Too much work.'),
  text: template('A text.'),
  twice: dependsOn(integer('Twice the count.', 7), 'count', ({ values }) => String(Number(values['count']) * 2)),
  always: dependsOn(template('What stands in text.', 'own'), 'text', () => '"quoted\\n', { whenSet: true }),
  count: {
    ...integer('How many.', 3),
    twin: { name: '*of_count', text: String },
  },
};

const instance = (set: Readonly<Record<string, unknown>> = {}): Instance => ({
  name: 'i',
  driver: {},
  values: { ...standardValues(table), ...set },
  set: new Set(Object.keys(set)),
  primaryHostname: 'host.example',
});

const style = { terse: false, eightBit: false };
const terse = { terse: true, eightBit: false };
const nothing: ReadonlySet<string> = new Set();

describe('lines of options', () => {
  it('show all options of a table, twins ahead of them', () => {
    assert.deepEqual(tableLines(table, instance(), nothing, style), [
      '*of_count = 3',
      'no_loud',
      'load =',
      'text = ',
      'twice = 6',
      'always = "quoted\\n',
      'count = 3',
    ]);
  });

  it('leave out names when they are terse, but not those of switches and of load averages that are not set', () => {
    assert.deepEqual(tableLines(table, instance({ loud: true }), nothing, terse), [
      '3',
      'loud',
      'load =',
      '',
      '6',
      '"quoted\\n',
      '3',
    ]);
  });

  it('show nothing of a hidden value, nor of its twin', () => {
    const lines = tableLines(table, instance({ count: 123456, loud: true }), new Set(['count', 'loud']), style);
    assert.ok(!lines.some((line) => line.includes('123456')));
    assert.ok(lines.includes('loud = <value not displayable>'));
    assert.ok(lines.includes('*of_count = <value not displayable>'));
    assert.equal(hiddenLine('count', terse), '<value not displayable>');
  });

  it('show a value that was set rather than what would come from others, unless that holds in any case', () => {
    const set = instance({ twice: 1, always: table.text.standard });
    assert.equal(optionLine('twice', table.twice, set, nothing, style), 'twice = 1');
    assert.equal(optionLine('always', table.always, set, nothing, style), 'always = "quoted\\n');
  });

  it('carry the name that was asked for', () => {
    assert.equal(optionLine('count', table.count, instance(), nothing, style, 'number'), 'number = 3');
    assert.equal(valueLine('switch', table.loud, true, terse), 'switch');
  });
});
