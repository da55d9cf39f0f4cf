/** Tables in cdb format for tests. */

import { CdbWriter } from '../lib/cdb.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';

/** The octets of a table; `end` is put behind each key and value. */
export function cdbOf(entries: readonly (readonly [key: string, value: string])[], end = ''): Buffer {
  const directory = new TestDirectory();
  const path = directory.file('table');
  const file = files.open(path, files.createNew);
  const writer = new CdbWriter(file);
  for (const [key, value] of entries) {
    writer.add(Buffer.from(key + end, 'latin1'), Buffer.from(value + end, 'latin1'), false);
  }
  writer.finish();
  files.close(file);
  const data = files.read(path);
  directory.remove();
  return data;
}
