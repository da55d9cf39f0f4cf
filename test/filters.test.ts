/**
 * Filters in Exim's language against what the real Exim 4.96 printed for them with `-v -bf` and `-bF`
 * (filters/recorded.jsonl, one filter a line), and against whatever a fuzzer makes of the language's words.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Ran, runTestFilter } from '../src/filter/test-filter.ts';

interface Recorded {
  readonly filter: string;
  readonly system?: boolean;
  readonly output: string;
  readonly explained?: string;
}

const recorded = readFileSync(new URL('filters/recorded.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

/** What `-bf` adds to what the filter itself prints. */
function whole({ outcome, output }: Ran): string {
  switch (outcome.outcome) {
    case 'error':
      return `${output}Filter error: ${outcome.message}\n`;
    case 'done':
      return `${output}${
        outcome.significant
          ? 'Filtering set up at least one significant delivery or other action.\nNo other deliveries will occur.\n'
          : 'Filtering did not set up a significant delivery.\nNormal delivery will occur.\n'
      }`;
    default:
      return `${output}Filtering ended by "${outcome.outcome}".\n`;
  }
}

test('filters do what they do in the real Exim, and say it in its words', async () => {
  const different: unknown[] = [];
  for (const { filter, system = false, output, explained = '' } of recorded) {
    const ran = await runTestFilter(filter, { isSystem: system });
    const [gotOutput, gotExplained] = [whole(ran), ran.explained];
    if (gotOutput !== output || gotExplained !== explained) {
      different.push({ filter, output, gotOutput, explained, gotExplained });
    }
  }
  assert.ok(recorded.length > 400);
  assert.deepEqual(different, []);
});

const words = [
  ...'if then elif else endif and or not ( ) is does begins BEGINS contains ends matches above below personal alias'.split(
    ' ',
  ),
  ...'foranyaddress delivered error_message first_delivery manually_thawed seen unseen noerror deliver save pipe'.split(
    ' ',
  ),
  ...'mail vacation to cc from subject text file expand return message once once_repeat log 7d add n1 headers charset'.split(
    ' ',
  ),
  ...'remove logfile logwrite finish testprint fail freeze defer errors_to # " \\ $h_to: $thisaddress $n1 a@b /x 0640'.split(
    ' ',
  ),
  '"a b"',
  '"(a)(b"',
  '^(a+)+$',
  '${if eq{a}{b}{c}{d}}',
  '${bad',
  '\n',
  '\\\n',
  '\0',
  '\xff',
];

test('no text makes a filter crash, and its outcome is one of those that there are', async () => {
  const outcomes = new Set(['done', 'fail', 'freeze', 'defer', 'error']);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 })), { maxLength: 60 }),
      fc.constantFrom(' ', '', '\n'),
      fc.boolean(),
      async (parts, between, isSystem) => {
        const { outcome } = await runTestFilter(parts.join(between), { isSystem });
        assert.ok(outcomes.has(outcome.outcome));
      },
    ),
    { numRuns: 3000 },
  );
});

const deep: readonly (readonly [string, string])[] = [
  ['brackets in brackets', `if ${'('.repeat(50_000)}delivered`],
  ['ifs in ifs', 'if delivered then '.repeat(50_000)],
  ['many alternatives', `if delivered${' or delivered'.repeat(50_000)} then finish endif`],
  ['many conditions', `if delivered${' and delivered'.repeat(50_000)} then finish endif`],
  ['lists in lists', `if ${'foranyaddress a@b ( '.repeat(50_000)}`],
];

for (const [what, filter] of deep) {
  test(`a filter with too many ${what} ends with a message`, async () => {
    const { outcome } = await runTestFilter(filter);
    assert.equal(outcome.outcome, 'error');
    assert.match(outcome.outcome === 'error' ? outcome.message : '', /^too many /);
  });
}

test('loops over lists in lists end', async () => {
  const list = `"${'a@b,'.repeat(200)}"`;
  const { outcome } = await runTestFilter(
    `if ${`foranyaddress ${list} ( `.repeat(6)}a is b ${') '.repeat(6)} then finish endif`,
  );
  assert.deepEqual(outcome, { outcome: 'error', message: 'the filter takes too many steps' });
});

test('a chain of elif is no depth', async () => {
  const { outcome } = await runTestFilter(
    `if delivered then finish ${'elif delivered then finish '.repeat(2000)}endif`,
  );
  assert.equal(outcome.outcome, 'done');
});
