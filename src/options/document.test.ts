/** Markdown made from tables. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  code,
  optionsNeverEffective,
  optionsWithoutEffect,
  optionTable,
  pageWithMarks,
  plain,
  table,
  withGeneratedPart,
} from './document.ts';
import { fixed, flag, template, time } from './kinds.ts';
import { alsoCalled, dependsOn, neverEffective, withoutEffect } from './table.ts';

/** Cells of a row as Markdown divides it: at bars without a backslash. */
const cellsOf = (row: string): number => (row.replaceAll(/\\./g, '').match(/\|/g) ?? []).length - 1;

describe('a table in Markdown', () => {
  it('has one line for each row and as many cells in each, whatever text is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1, maxLength: 5 }), (texts) => {
        const lines = table(
          ['a', 'b'],
          texts.map((text) => [plain(text), 'x']),
        ).split('\n');
        assert.equal(lines.length, texts.length + 3);
        for (const line of lines.slice(0, -1)) assert.equal(cellsOf(line), 2, line);
      }),
    );
  });

  it('shows code with backquotes and bars in it', () => {
    assert.equal(code('a|b'), '`a\\|b`');
    assert.equal(code('a`b'), '``a`b``');
    assert.equal(code('`'), '`` ` ``');
    assert.equal(code(' a '), '`  a  `');
    assert.equal(code(''), '');
  });

  it('shows text as it is but for code in backquotes', () => {
    assert.equal(plain('a*b <c>\n[d] `e`'), 'a\\*b \\<c> \\[d\\] `e`');
  });
});

describe('a table of options', () => {
  const options = {
    zeal: withoutEffect(flag('Works harder.', true)),
    wait: time('How long to wait.', 90),
    owner: alsoCalled(fixed('Whose it is.'), 'user_name'),
    group: dependsOn(template('Its group.'), 'owner', () => undefined),
    yore: neverEffective(flag('As it was.'), 'it is over'),
    width: dependsOn(time('How wide.', 60), 'wait', () => undefined),
  };

  it('is sorted and tells type, standard value, older names, and what has no effect', () => {
    assert.deepEqual(optionTable(options).trimEnd().split('\n').slice(2), [
      '| `group` | string, expanded | from owner | Its group. |',
      '| `owner` | string | unset | Whose it is. Older name: `user_name`. |',
      '| `wait` | time | `1m30s` | How long to wait. |',
      '| `width` | time | `1m`, or from wait | How wide. |',
      '| `yore` | boolean | `false` | As it was. **Without effect**: it is over. |',
      '| `zeal` | boolean | `true` | Works harder. **Without effect in this version.** |',
    ]);
  });

  it('gives the names of options without effect', () => {
    assert.deepEqual(optionsWithoutEffect(options), ['zeal']);
    assert.deepEqual(optionsNeverEffective(options), [['yore', 'it is over']]);
  });
});

describe('a page that is written by hand in part', () => {
  it('keeps what is outside the marks, however often its part is made', () => {
    const page = `Before.\n\n${pageWithMarks('Title')}\nBehind.\n`;
    const once = withGeneratedPart(page, 'first\n') ?? '';
    const twice = withGeneratedPart(once, 'second\n') ?? '';
    assert.equal(withGeneratedPart(twice, 'second\n'), twice);
    assert.match(twice, /^Before\.\n\n# Title\n\n.*begin -->\n\nsecond\n\n<!--.*end -->\n\nBehind\.\n$/);
    assert.doesNotMatch(twice, /first/);
  });

  it('is refused when a mark is missing or they stand in the wrong order', () => {
    const page = pageWithMarks('Title');
    const marks = page.match(/<!--.*-->\n/g) ?? [];
    assert.equal(withGeneratedPart('nothing here', 'x'), undefined);
    for (const mark of marks) assert.equal(withGeneratedPart(page.replace(mark, ''), 'x'), undefined);
    assert.equal(withGeneratedPart(marks.toReversed().join(''), 'x'), undefined);
  });
});
