/**
 * `lmdb`: LMDB files, through the system's own library (Exim spec 9.3); the key as it is, without a binary zero behind
 * it. The library maps the file into memory, so a file is looked at before that: one cut short would end the program.
 */

import { errorNumberText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { addressOf, type Lmdb, loadLmdb, MissingLibrary, octetsAt, type Pointer } from '../safe/native.ts';
import type { Clean } from '../safe/taint.ts';
import { defineLookup, type Found, LookupProblem, notFound, type Table } from './lookup.ts';
import { untilZero } from './stored-text.ts';

const purpose = 'for lmdb lookup';

/** The data file is named itself and not its directory; no thread owns a transaction. */
const openFlags = 0x4000 | 0x20000 | 0x200000;
const readOnly = 0x20000;
const noEntry = -30798;
const magic = 0xbeefc0de;
const noRoot = 0xffffffffffffffffn;

/** Throws when the file is no LMDB file, or ends before the pages that both its head pages lead to. */
function examine(name: Clean): void {
  const file = files.open(name);
  try {
    const { size } = files.statOpen(file);
    const first = Buffer.alloc(152);
    files.readAt(file, first, 0);
    const pageSize = first.readUInt32LE(40);
    if (first.readUInt32LE(16) !== magic || pageSize < 256 || pageSize > 65536) throw notLmdb(name);
    const second = Buffer.alloc(152);
    files.readAt(file, second, pageSize);
    if (second.readUInt32LE(16) !== magic) throw notLmdb(name);
    for (const head of [first, second]) {
      for (const root of [head.readBigUInt64LE(80), head.readBigUInt64LE(128)]) {
        if (root !== noRoot && (root + 1n) * BigInt(pageSize) > BigInt(size)) throw notLmdb(name);
      }
    }
  } finally {
    files.close(file);
  }
}

function notLmdb(name: Clean): LookupProblem {
  return new LookupProblem(`failed to open ${name} ${purpose}: it is not an LMDB file, or not all of it`);
}

function library(name: Clean): Lmdb {
  try {
    return loadLmdb();
  } catch (error) {
    if (error instanceof MissingLibrary) throw new LookupProblem(`failed to open ${name} ${purpose}: ${error.message}`);
    throw error;
  }
}

class LmdbTable implements Table {
  readonly #name: Clean;
  readonly #lmdb: Lmdb;
  readonly #environment: Pointer;

  constructor(name: Clean) {
    this.#name = name;
    this.#lmdb = library(name);
    examine(name);
    const made: [Pointer | null] = [null];
    this.#must(this.#lmdb.makeEnvironment(made));
    this.#environment = made[0] ?? 0n;
    const code = this.#lmdb.open(this.#environment, name, openFlags, 0);
    if (code !== 0) {
      this.#lmdb.closeEnvironment(this.#environment);
      this.#must(code);
    }
  }

  #must(code: number): void {
    if (code === 0) return;
    const reason = (code > 0 && errorNumberText(code)) || this.#lmdb.errorMessage(code);
    throw new LookupProblem(`failed to open ${this.#name} ${purpose}: ${reason}`);
  }

  find(key: string): Found {
    const begun: [Pointer | null] = [null];
    this.#must(this.#lmdb.begin(this.#environment, null, readOnly, begun));
    const transaction = begun[0] ?? 0n;
    try {
      const database: [number] = [0];
      this.#must(this.#lmdb.openDatabase(transaction, null, 0, database));
      return this.#get(transaction, database[0], Buffer.from(key, 'latin1'));
    } finally {
      this.#lmdb.abort(transaction);
    }
  }

  #get(transaction: Pointer, database: number, octets: Buffer): Found {
    const key = Buffer.alloc(16);
    key.writeBigUInt64LE(BigInt(octets.length), 0);
    key.writeBigUInt64LE(addressOf(octets), 8);
    const value = Buffer.alloc(16);
    const code = this.#lmdb.get(transaction, database, key, value);
    if (code === noEntry) return notFound;
    if (code !== 0) {
      return { outcome: 'defer', message: `lmdb: ${this.#name}: ${this.#lmdb.errorMessage(code)}` };
    }
    const length = Number(value.readBigUInt64LE(0));
    const found = length === 0 ? '' : octetsAt(value.readBigUInt64LE(8), length).toString('latin1');
    return { outcome: 'found', value: untilZero(found) };
  }

  close(): void {
    this.#lmdb.closeEnvironment(this.#environment);
  }
}

export const lmdb = defineLookup({
  name: 'lmdb',
  doc: 'an LMDB file',
  style: 'single-key',
  purpose,
  options: [],
  vouches: true,
  open: (name) => new LmdbTable(name),
});
