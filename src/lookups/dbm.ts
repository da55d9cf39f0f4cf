/**
 * `dbm`, `dbmnz`, `dbmjz`: tables made by `exim_dbmbuild` (Exim spec 9.3): by ours, which are cdb files, and by the
 * original one, which are Berkeley DB hash tables. The three differ in what key they search for.
 */

import { BerkeleyHash, isBerkeley } from '../lib/berkeley-hash.ts';
import { BerkeleyProblem } from '../lib/berkeley-pages.ts';
import { Cdb, CdbProblem } from '../lib/cdb.ts';
import { splitList } from '../lib/list-text.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import { defineLookup, LookupProblem, notFound, type SingleKeyLookup, type Table } from './lookup.ts';
import { untilZero } from './stored-text.ts';

const purpose = 'as a db (v4.1+) file';

/** The table in a file of either format, told apart by the number that Berkeley DB puts at octet 12. */
function openEither(file: files.Descriptor): BerkeleyHash | Cdb {
  const start = Buffer.alloc(16);
  files.readAt(file, start, 0);
  if (isBerkeley(start)) return new BerkeleyHash(file);
  const table = new Cdb(file);
  if (!table.isPlausible) throw new CdbProblem('corrupt');
  return table;
}

function open(name: Clean, keyOf: (key: string) => string): Table {
  const file = files.open(name);
  let table: BerkeleyHash | Cdb;
  try {
    table = openEither(file);
  } catch (error) {
    files.close(file);
    if (error instanceof BerkeleyProblem)
      throw new LookupProblem(`failed to open ${name} ${purpose}: ${error.message}`);
    if (!(error instanceof CdbProblem)) throw error;
    throw new LookupProblem(`failed to open ${name} ${purpose}: it is neither a Berkeley DB hash table nor a cdb file`);
  }
  return {
    find(key) {
      try {
        const value = table.find(Buffer.from(keyOf(key), 'latin1'));
        return value === undefined ? notFound : { outcome: 'found', value: untilZero(value) };
      } catch (error) {
        if (error instanceof BerkeleyProblem) throw new LookupProblem(`dbm: corrupt file ${name} (${error.message})`);
        if (error instanceof CdbProblem) throw new LookupProblem(`dbm: corrupt cdb file ${name} (too short)`);
        throw error;
      }
    },
    close: () => table.close(),
  };
}

function driver(name: string, doc: string, keyOf: (key: string) => string): SingleKeyLookup {
  return defineLookup({
    name,
    doc,
    style: 'single-key',
    purpose,
    options: [],
    vouches: true,
    open: (file) => open(file, keyOf),
  });
}

export const dbm = driver('dbm', 'a DBM file whose keys end in a binary zero', (key) => `${key}\0`);
export const dbmnz = driver('dbmnz', 'a DBM file whose keys do not end in a binary zero', (key) => key);
export const dbmjz = driver('dbmjz', 'a DBM file; the key is a list, whose items are joined with binary zeros', (key) =>
  splitList(key).items.join('\0'),
);
