import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { TestDirectory } from '../lib/test-directory.ts';
import { loadLmdb, MissingLibrary } from '../safe/native.ts';
import { lmdb } from './lmdb.ts';
import { Lookups } from './lookups.ts';
import { found, search } from './single-key-contract.ts';

/** What mdb_load of Debian's lmdb-utils 0.9.24 made of `k` = `v` and `long key` = `value two`. */
const made = gunzipSync(
  Buffer.from(
    'H4sICHRdAGsCA3QubWRiAO3ZPQrCQBAG0NlUsYqFB/AoXsUiWCRo4w9eTjxI8Ap2tgoxkRSKFloI7xXfTLGwsN3sRPTyNk/H8yHF0PhR8lm8de' +
      '3Eh/rzKQAAAIBfST+d/9OTe+6yF9U/AAAAAHxfNugm0RSXoim8CgAAAPyPUZt51KvlYlqV++283pTT9W7VbdlTVNsb9/RdsgAwAAA=',
    'base64',
  ),
);

const directory = new TestDirectory();
const lookups = new Lookups([lmdb], 5);
after(() => {
  lookups.close();
  directory.remove();
});

/** Whether this machine has the library: the driver's answers depend on it. */
function missing(): string | undefined {
  try {
    loadLmdb();
    return undefined;
  } catch (error) {
    if (error instanceof MissingLibrary) return error.message;
    throw error;
  }
}

const lacking = missing();

/** Without the library every search ends with the same words. */
async function check(path: string, expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, value] of Object.entries(expected)) {
    const lack = `error: failed to open ${path} for lmdb lookup: ${lacking}`;
    assert.equal(await found(lookups, 'lmdb', key, path), lacking === undefined ? value : lack, key);
  }
}

test('keys are found as they are, or it is told clearly that the library is not there', async () => {
  const path = directory.write('table', made);
  await check(path, { k: 'v', 'long key': 'value two', K: 'not found', long: 'not found', none: 'not found' });
  const answer = await search(lookups, 'lmdb', 'k', path);
  assert.equal(answer.outcome === 'found' && answer.value.isClean, lacking === undefined);
});

test('a file that is no LMDB file, or not all of it, is told as such and not mapped', async () => {
  for (const [name, data] of [
    ['text', Buffer.from('this is text\n'.repeat(1000))],
    ['empty', Buffer.alloc(0)],
    ['head', made.subarray(0, 4096)],
    ['cut', made.subarray(0, 8192)],
    ['zeros', Buffer.alloc(16384)],
  ] as const) {
    const path = directory.write(name, data);
    const problem = `error: failed to open ${path} for lmdb lookup: it is not an LMDB file, or not all of it`;
    await check(path, { k: problem });
  }
});

test('a file that is not there, or is a directory, cannot be opened', async () => {
  const none = directory.file('none');
  await check(none, { k: `error: failed to open ${none} for lmdb lookup: No such file or directory` });
  await check(directory.path, { k: `error: failed to open ${directory.path} for lmdb lookup: Is a directory` });
});
