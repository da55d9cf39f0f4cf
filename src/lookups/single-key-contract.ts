/**
 * What every single-key driver has to do, as tests: called by the test file of each driver. Asked through `Lookups`, as
 * the server asks, so that reopening and the texts of errors are tested, too.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { LookupAnswer } from '../expand/context.ts';
import { trim } from '../lib/octets.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { Text } from '../safe/taint.ts';
import type { SingleKeyLookup } from './lookup.ts';
import { Lookups } from './lookups.ts';
import { testContext } from './test-context.ts';

export interface SingleKeyCase {
  readonly driver: SingleKeyLookup;
  /** The octets of a table with these entries. */
  readonly tableOf: (entries: readonly (readonly [key: string, value: string])[]) => Uint8Array | string;
  /** Six keys of the driver's kind: the last is not put into the table. */
  readonly keys: readonly [string, string, string, string, string, string];
  /** A value with octets above 127, if those have a meaning in such tables. */
  readonly eightBitValue?: string;
  /** What is said of a directory in the place of the file. */
  readonly directoryProblem: (path: string) => string;
  /** Octets that are no such table, and what is said of them: at once, or when a key is searched for. */
  readonly broken: readonly {
    readonly what: string;
    readonly data: Uint8Array;
    readonly outcome: 'error' | 'defer';
    readonly message: (path: string) => string;
  }[];
}

/** Searches as an expansion does, in a context of its own. */
export function search(lookups: Lookups, type: string, key: string, path: string): Promise<LookupAnswer> {
  const request = { type, key: Text.tainted(key), fileOrQuery: Text.configured(path) };
  return Promise.resolve(lookups.find(request, testContext(lookups)));
}

/** The value that was found, or the outcome. */
export async function found(lookups: Lookups, type: string, key: string, path: string): Promise<string> {
  const answer = await search(lookups, type, key, path);
  if (answer.outcome === 'found') return answer.value.value;
  return 'message' in answer ? `${answer.outcome}: ${answer.message}` : answer.outcome;
}

export function singleKeyContract(contract: SingleKeyCase): void {
  const { driver, tableOf, keys, eightBitValue = 'caf\xe9 \xff', directoryProblem, broken } = contract;
  const { name } = driver;
  const directory = new TestDirectory();
  const lookups = new Lookups([driver], 5);
  const [plain, empty, long, eightBit, blanks, missing] = keys;
  const longValue = trim('a long value, '.repeat(5000));
  const entries = [
    [plain, 'value'],
    [empty, ''],
    [long, longValue],
    [eightBit, eightBitValue],
    [blanks, 'two words'],
  ] as const;
  const table = directory.write('table', tableOf(entries));
  after(() => {
    lookups.close();
    directory.remove();
  });

  test(`${name}: every key is found with its value`, async () => {
    for (const [key, value] of entries) assert.equal(await found(lookups, name, key, table), value);
  });

  test(`${name}: a key that is not there is not found`, async () => {
    assert.equal(await found(lookups, name, missing, table), 'not found');
    assert.equal(await found(lookups, name, '', table), 'not found');
  });

  test(`${name}: what is found may be used where outside text may not`, async () => {
    const answer = await search(lookups, name, plain, table);
    assert.equal(answer.outcome === 'found' && answer.value.isClean, true);
  });

  test(`${name}: a table that took the place of another is seen at the next search`, async () => {
    const path = directory.write('rebuilt', tableOf([[plain, 'old']]));
    assert.equal(await found(lookups, name, plain, path), 'old');
    directory.write('rebuilt', tableOf([[plain, 'new']]));
    assert.equal(await found(lookups, name, plain, path), 'new');
    directory.write('rebuilt', tableOf([]));
    assert.equal(await found(lookups, name, plain, path), 'not found');
  });

  test(`${name}: a file that is not there cannot be opened`, async () => {
    const path = directory.file('none');
    assert.equal(
      await found(lookups, name, plain, path),
      `error: failed to open ${path} ${driver.purpose}: No such file or directory`,
    );
  });

  test(`${name}: a directory is no table`, async () => {
    assert.equal(await found(lookups, name, plain, directory.path), `error: ${directoryProblem(directory.path)}`);
  });

  for (const { what, data, outcome, message } of broken) {
    test(`${name}: ${what} is told as what it is`, async () => {
      const path = directory.write('broken', data);
      assert.equal(await found(lookups, name, plain, path), `${outcome}: ${message(path)}`);
    });
  }
}
