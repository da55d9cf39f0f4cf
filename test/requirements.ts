/**
 * What the tests of the promises share: rows that a golden case proves, and rows that wait. A row of the first kind names the
 * case, which `golden.test.ts` runs; a row of the second says what is missing, and fails as soon as that is there.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './server.ts';

export const cases = join(root, 'test/golden/cases');
const later = readFileSync(join(cases, 'later'), 'utf8');

/** A test for each row: the case is there and does not wait. */
export function provedByCases(
  folder: string,
  rows: readonly (readonly [row: string, promise: string, name: string])[],
): void {
  for (const [row, promise, name] of rows) {
    test(`${row} ${promise}: proved by the golden case ${name}`, () => {
      assert.ok(existsSync(join(cases, folder, name, 'expected')));
      assert.ok(
        !later.split('\n').some((line) => line.split(' ')[0] === `${folder}/${name}`),
        'the case waits for a feature',
      );
    });
  }
}

/** A row that cannot be kept yet. `missing` says whether what it needs is still not there. */
export function waits(row: string, promise: string, reason: string, missing: () => boolean): void {
  test(`${row} ${promise} waits: ${reason}`, () => assert.ok(missing(), `${row} can be tested now`));
}
