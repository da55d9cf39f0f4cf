/** Expansions recorded from the real Exim (expansions/recorded.txt, expansions/manual.txt), expanded by this program with -be. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Case {
  readonly input: string;
  readonly output: string;
}

function casesOf(file: string): Case[] {
  return readFileSync(join(root, file), 'latin1')
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith('#'))
    .map((block) => {
      const [input = '', ...output] = block.replace(/\n$/, '').split('\n');
      return { input, output: output.map((line) => line.replace(/^=> /, '')).join('\n') };
    });
}

/** What -be prints for each line. */
function expanded(inputs: readonly string[]): string[] {
  const { stdout, status, stderr } = spawnSync(
    join(root, 'bin/exim'),
    ['-C', join(root, 'test/expansions/expansions.conf'), '-be'],
    { input: Buffer.from(`${inputs.join('\n')}\n`, 'latin1'), env: { PATH: '/usr/bin:/bin', TZ: 'UTC' } },
  );
  assert.equal(status, 0, stderr.toString());
  const answers = stdout.toString('latin1').replace(/^> /, '').split('\n> ');
  return answers.slice(0, inputs.length);
}

/** The cases of a file that came out otherwise. */
function wrongCases(cases: readonly Case[]): unknown[] {
  const got = expanded(cases.map(({ input }) => input));
  return cases
    .map(({ input, output }, i) => ({ input, expected: output, got: got[i] }))
    .filter((each) => each.expected !== each.got);
}

test('every recorded expansion comes out as the real Exim printed it', () => {
  const cases = casesOf('test/expansions/recorded.txt');
  assert.ok(cases.length > 300);
  assert.deepEqual(wrongCases(cases), []);
});

test('every example of the manual comes out as the real Exim printed it', () => {
  const cases = casesOf('test/expansions/manual.txt');
  assert.ok(cases.length > 100);
  assert.deepEqual(wrongCases(cases), []);
});
