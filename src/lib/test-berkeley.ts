/**
 * Berkeley DB files for tests, gzipped and in base 64 in the folder `fixtures`.
 *
 * - `small`, `many`, `nozero`: written by the original exim_dbmbuild of Debian 12 (libdb 5.3.28), the last with -nozero;
 *   `many` has user0 to user699, those whose number is 7 above a multiple of 300 with large values.
 * - `swapped` (most significant octet first, pages of 512 octets) and `checksummed` (pages of 1024 octets): written with
 *   the same library, user0 to user299, large keys when the number is 3 above a multiple of 40, large values when it is
 *   7 above a multiple of 50; with chains of pages.
 * - `wide`: user0 to user399 in pages of 65536 octets.
 * - `duplicates`, `sorted-duplicates`: keys with few, and with so many values that these have pages of their own.
 * - `btree`: no hash table.
 */

import { gunzipSync } from 'node:zlib';
import * as files from '../safe/files.ts';
import { reviewed } from '../safe/taint.ts';

/** The octets of a fixture, a new copy each time. */
export function berkeleyFixture(name: string): Buffer {
  const path = `${import.meta.dirname}/fixtures/berkeley-${name}.b64`;
  return gunzipSync(Buffer.from(files.readText(reviewed(path, 'a file of the tests')), 'base64'));
}

/** Numbered entries of the fixtures: the key with its binary zero, and the value as it is stored. */
export function numberedEntry(
  number: number,
  large: { readonly key: boolean; readonly value: number },
): { readonly key: Buffer; readonly value: string } {
  const key = `user${number}`.repeat(large.key ? 100 : 1);
  const value = `value ${number} `.repeat(large.value).trim();
  return { key: Buffer.from(`${key}\0`, 'latin1'), value: `${value}\0` };
}

/** An entry of `swapped` and `checksummed`. */
export function mixedEntry(number: number): { readonly key: Buffer; readonly value: string } {
  return numberedEntry(number, { key: number % 40 === 3, value: number % 50 === 7 ? 300 : 1 });
}
