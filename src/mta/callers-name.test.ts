import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate } from '../expand/expand.ts';
import { testContext } from '../lookups/test-context.ts';
import { callersName } from './callers-name.ts';

/** As the real Exim 4.96 has the From: line of a user whose comment field is `Ann & Example,Room 1`. */
const cases: readonly (readonly [pattern: string | undefined, name: string | undefined, expected: string])[] = [
  [undefined, undefined, 'Ann Ann Example,Room 1'],
  [String.raw`^(\w+) (\w+)`, '<$2> ${uc:$1}', '<Ann> ANN'],
  [String.raw`^(\d+)`, '$1', 'Ann Ann Example,Room 1'],
  [String.raw`^(\w+)`, undefined, 'Ann Ann Example,Room 1'],
  [undefined, '$1', 'Ann Ann Example,Room 1'],
  [String.raw`^(\w+)`, '${if eq', 'Ann Ann Example,Room 1'],
];

test('the name of a user is the comment field, or what gecos_name makes of it', async () => {
  for (const [pattern, name, expected] of cases) {
    const main = {
      gecos_pattern: pattern,
      gecos_name: name === undefined ? undefined : compileTemplate(name),
    } as Parameters<typeof callersName>[1];
    const found = await callersName({ name: 'ann', gecos: 'Ann & Example,Room 1' }, main, testContext());
    assert.equal(found, expected, `${pattern} ${name}`);
  }
});
