/** `cdb`: constant databases; the key as it is, without a binary zero behind it (Exim spec 9.3). */

import { Cdb, CdbProblem } from '../lib/cdb.ts';
import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';
import { defineLookup, LookupProblem, notFound, type Table } from './lookup.ts';
import { untilZero } from './stored-text.ts';

function open(name: Clean): Table {
  const file = files.open(name);
  let table: Cdb;
  try {
    table = new Cdb(file);
  } catch (error) {
    files.close(file);
    if (error instanceof CdbProblem) throw new LookupProblem(`failed to open ${name} too short for cdb lookup`);
    throw new LookupProblem(`failed to open cannot read header from ${name} for cdb lookup: ${errorText(error)}`);
  }
  return {
    find(key) {
      try {
        const value = table.find(Buffer.from(key, 'latin1'));
        return value === undefined ? notFound : { outcome: 'found', value: untilZero(value) };
      } catch (error) {
        if (error instanceof CdbProblem) throw new LookupProblem(`cdb: corrupt cdb file ${name} (too short)`);
        throw error;
      }
    },
    close: () => table.close(),
  };
}

export const cdb = defineLookup({
  name: 'cdb',
  doc: 'a constant database',
  style: 'single-key',
  purpose: 'for cdb lookup',
  options: [],
  vouches: true,
  open,
});
