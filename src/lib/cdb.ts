/**
 * Constant databases, D. J. Bernstein's cdb format: a file in which one key is found with two short reads, whatever its
 * size. For the lookup drivers, and for `exim_dbmbuild`, which writes its tables in this format.
 *
 * The file is 256 pointers to hash tables, the records, the hash tables; all numbers have 32 bits, least octet first.
 * The reader keeps the pointers, and a small file that is asked often; it believes no number before it has compared it
 * with the file's size.
 */

import * as files from '../safe/files.ts';
import { HashIndex } from './hash-index.ts';

const headerSize = 2048;
const tableCount = 256;
const largestFile = 0xffff_ffff;
/** Longer values are taken for damage. */
const longestValue = 64 * 1024 * 1024;

/** The file is no sound cdb file. `short` when it has no room for the pointers. */
export class CdbProblem extends Error {
  readonly problem: 'short' | 'corrupt';
  constructor(problem: 'short' | 'corrupt') {
    super(problem === 'short' ? 'too short' : 'corrupt cdb file');
    this.problem = problem;
  }
}

/** The file would need positions of more than 32 bits. */
export class CdbFull extends Error {
  constructor() {
    super('the table is too large for a cdb file, whose limit is 4 GB');
  }
}

function hashOf(key: Uint8Array): number {
  let hash = 5381;
  for (let i = 0; i < key.length; i++) hash = ((hash << 5) + hash) ^ (key[i] ?? 0);
  return hash >>> 0;
}

/** A file that is no larger is kept in memory when it is asked this often: two system calls less for each key. */
const keptSize = 1024 * 1024;
const keptAfter = 16;

/** A few hash slots, and the beginning of a record: with most tables, one read each. */
const slots = Buffer.alloc(256);
const record = Buffer.alloc(1024);

/** A cdb file that is open for reading. */
export class Cdb {
  readonly #file: files.Descriptor;
  readonly #size: number;
  readonly #header = Buffer.alloc(headerSize);
  #finds = 0;
  #kept: Buffer | undefined;
  /** The octets that were asked for last, and where in them they begin. */
  #piece: Buffer = record;
  #base = 0;

  /** Reads the pointers; throws CdbProblem or the system's error, and leaves the file open. */
  constructor(file: files.Descriptor) {
    this.#file = file;
    this.#size = files.statOpen(file).size;
    if (this.#size < headerSize || files.readAt(file, this.#header, 0) < headerSize) throw new CdbProblem('short');
  }

  /** Whether all pointers lead into the file, which tells a cdb file from others as far as that can be told. */
  get isPlausible(): boolean {
    for (let table = 0; table < tableCount; table++) {
      const start = this.#header.readUInt32LE(8 * table);
      if (start < headerSize || start + 8 * this.#header.readUInt32LE(8 * table + 4) > this.#size) return false;
    }
    return true;
  }

  /** The value of the first record with this key. Throws CdbProblem when a pointer leads out of the file. */
  find(key: Uint8Array): string | undefined {
    if (this.#size <= keptSize && ++this.#finds === keptAfter) this.#keep();
    const hash = hashOf(key);
    const table = this.#header.readUInt32LE(8 * (hash & 255));
    const length = this.#header.readUInt32LE(8 * (hash & 255) + 4);
    if (length === 0) return undefined;
    if (table + 8 * length > this.#size) throw new CdbProblem('corrupt');
    const first = (hash >>> 8) % length;
    let from = first;
    for (let seen = 0; seen < length; ) {
      const count = Math.min(slots.length / 8, length - from, length - seen);
      if (this.#look(slots, table + 8 * from, 8 * count) < 8 * count) throw new CdbProblem('corrupt');
      const piece = this.#piece;
      const end = this.#base + 8 * count;
      for (let at = this.#base; at < end; at += 8) {
        const position = piece.readUInt32LE(at + 4);
        if (position === 0) return undefined;
        if (piece.readUInt32LE(at) !== hash) continue;
        const value = this.#valueAt(position, key);
        if (value !== undefined) return value;
      }
      seen += count;
      from = (from + count) % length;
    }
    return undefined;
  }

  /** The value of the record at `position`, if it has this key. */
  #valueAt(position: number, key: Uint8Array): string | undefined {
    if (position + 8 > this.#size) throw new CdbProblem('corrupt');
    const have = this.#look(record, position, Math.min(record.length, this.#size - position));
    if (have < 8) throw new CdbProblem('corrupt');
    const [piece, base] = [this.#piece, this.#base];
    const keyLength = piece.readUInt32LE(base);
    const length = piece.readUInt32LE(base + 4);
    if (keyLength !== key.length) return undefined;
    const start = 8 + keyLength;
    if (position + start + length > this.#size || length > longestValue) throw new CdbProblem('corrupt');
    if (start + length <= have) {
      if (piece.compare(key, 0, keyLength, base + 8, base + start) !== 0) return undefined;
      return piece.toString('latin1', base + start, base + start + length);
    }
    const whole = Buffer.allocUnsafe(keyLength + length);
    if (files.readAt(this.#file, whole, position + 8) < whole.length) throw new CdbProblem('corrupt');
    return whole.compare(key, 0, keyLength, 0, keyLength) === 0 ? whole.toString('latin1', keyLength) : undefined;
  }

  /** Files are replaced, and not changed: what was read stays true. */
  #keep(): void {
    const whole = Buffer.allocUnsafeSlow(this.#size);
    if (files.readAt(this.#file, whole, 0) === whole.length) this.#kept = whole;
  }

  /** Gets octets in sight, in `room` or where the file is kept; answers how many there are. */
  #look(room: Buffer, position: number, length: number): number {
    if (this.#kept !== undefined) {
      this.#piece = this.#kept;
      this.#base = position;
      return Math.max(0, Math.min(length, this.#kept.length - position));
    }
    this.#piece = room;
    this.#base = 0;
    return files.readAt(this.#file, room, position, length);
  }

  close(): void {
    files.close(this.#file);
  }
}

/**
 * Writes a cdb file, record by record, into an empty file that is open for reading and writing. Keeps about 20 octets
 * for each record; whether a key came before is found out by reading it back.
 */
export class CdbWriter {
  readonly #file: files.Descriptor;
  readonly #limit: number;
  readonly #index = new HashIndex();
  readonly #buffer = Buffer.allocUnsafe(256 * 1024);
  #buffered = 0;
  /** Where the buffer will go. */
  #position = headerSize;

  /** `limit` is the largest size of the file, smaller than 4 GB only in tests. */
  constructor(file: files.Descriptor, limit = largestFile) {
    this.#file = file;
    this.#limit = limit;
  }

  /** The number of different keys. */
  get count(): number {
    return this.#index.count;
  }

  /**
   * Adds a record; answers false when the key was there before. Its value is replaced only if `replace` says so; the old
   * one still takes room in the file then. Throws CdbFull.
   */
  add(key: Uint8Array, value: Uint8Array, replace: boolean): boolean {
    const hash = hashOf(key);
    const entry = this.#index.find(hash, (place) => this.#hasKeyAt(place, key));
    if (entry !== undefined && !replace) return false;
    const place = this.#position + this.#buffered;
    const size = 8 + key.length + value.length;
    if (place + size + 16 * (this.count + 1) > this.#limit) throw new CdbFull();
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32LE(key.length, 0);
    lengths.writeUInt32LE(value.length, 4);
    for (const part of [lengths, key, value]) this.#write(part);
    if (entry === undefined) this.#index.add(hash, place);
    else this.#index.move(entry, place);
    return entry === undefined;
  }

  /** Writes the hash tables and the pointers to them. The file is a cdb file from then on. */
  finish(): void {
    const header = Buffer.alloc(headerSize);
    const { order, starts } = this.#byTable();
    for (let table = 0; table < tableCount; table++) {
      const from = starts[table] ?? 0;
      const to = starts[table + 1] ?? 0;
      const length = 2 * (to - from);
      header.writeUInt32LE(this.#position + this.#buffered, 8 * table);
      header.writeUInt32LE(length, 8 * table + 4);
      this.#write(this.#table(order.subarray(from, to), length));
    }
    this.#flush();
    files.writeAt(this.#file, header, 0);
  }

  /** The entries sorted by the table they belong to, and where in that order each table begins. */
  #byTable(): { readonly order: Uint32Array; readonly starts: Uint32Array } {
    const starts = new Uint32Array(tableCount + 1);
    for (let entry = 0; entry < this.count; entry++) {
      const next = (this.#index.hashOf(entry) & 255) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let table = 0; table < tableCount; table++) {
      starts[table + 1] = (starts[table + 1] ?? 0) + (starts[table] ?? 0);
    }
    const order = new Uint32Array(this.count);
    const ends = starts.slice();
    for (let entry = 0; entry < this.count; entry++) {
      const table = this.#index.hashOf(entry) & 255;
      const at = ends[table] ?? 0;
      order[at] = entry;
      ends[table] = at + 1;
    }
    return { order, starts };
  }

  #table(entries: Uint32Array, length: number): Buffer {
    const table = Buffer.alloc(8 * length);
    for (const entry of entries) {
      const hash = this.#index.hashOf(entry);
      let slot = (hash >>> 8) % length;
      while (table.readUInt32LE(8 * slot + 4) !== 0) slot = (slot + 1) % length;
      table.writeUInt32LE(hash, 8 * slot);
      table.writeUInt32LE(this.#index.placeOf(entry), 8 * slot + 4);
    }
    return table;
  }

  #hasKeyAt(place: number, key: Uint8Array): boolean {
    if (place + 8 + key.length > this.#position) this.#flush();
    const wanted = 8 + key.length;
    const found = wanted <= record.length ? record : Buffer.allocUnsafe(wanted);
    if (files.readAt(this.#file, found, place, wanted) < wanted) return false;
    return found.readUInt32LE(0) === key.length && found.compare(key, 0, key.length, 8, wanted) === 0;
  }

  #write(data: Uint8Array): void {
    if (this.#buffered + data.length > this.#buffer.length) this.#flush();
    if (data.length > this.#buffer.length) {
      files.writeAt(this.#file, data, this.#position);
      this.#position += data.length;
    } else {
      this.#buffer.set(data, this.#buffered);
      this.#buffered += data.length;
    }
  }

  #flush(): void {
    files.writeAt(this.#file, this.#buffer.subarray(0, this.#buffered), this.#position);
    this.#position += this.#buffered;
    this.#buffered = 0;
  }
}

/** All records of a file, in the order they stand in. @throws CdbProblem */
export function* cdbRecords(file: files.Descriptor): Generator<{ readonly key: string; readonly value: string }> {
  const header = Buffer.alloc(headerSize);
  const { size } = files.statOpen(file);
  if (size < headerSize || files.readAt(file, header, 0) < headerSize) throw new CdbProblem('short');
  // records end where the first hash table begins; what an empty one points to says nothing
  let end = Number.POSITIVE_INFINITY;
  for (let table = 0; table < tableCount; table++) {
    if (header.readUInt32LE(8 * table + 4) > 0) end = Math.min(end, header.readUInt32LE(8 * table));
  }
  if (end === Number.POSITIVE_INFINITY) return;
  if (end > size) throw new CdbProblem('corrupt');
  const lengths = Buffer.alloc(8);
  for (let at = headerSize; at < end; ) {
    if (files.readAt(file, lengths, at) < lengths.length) throw new CdbProblem('corrupt');
    const keyLength = lengths.readUInt32LE(0);
    const length = lengths.readUInt32LE(4);
    if (at + 8 + keyLength + length > end || keyLength + length > longestValue) throw new CdbProblem('corrupt');
    const octets = Buffer.alloc(keyLength + length);
    if (files.readAt(file, octets, at + 8) < octets.length) throw new CdbProblem('corrupt');
    yield { key: octets.toString('latin1', 0, keyLength), value: octets.toString('latin1', keyLength) };
    at += 8 + octets.length;
  }
}
