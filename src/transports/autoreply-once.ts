/**
 * The file of the `once` option (Exim spec 27.1): who was sent an answer, and when. It is Exim's form of a file with a
 * greatest size: for each address eight octets with the time, lowest first, and the address with a zero octet behind it.
 * A file without a greatest size has the same form. One that Exim made as a DBM file is renamed when something is to be
 * added, and still asked from then on.
 */

import { BerkeleyHash, isBerkeley } from '../lib/berkeley-hash.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, literal } from '../safe/taint.ts';

export interface OnceFile {
  readonly path: Clean;
  /** Octets; 0 for no limit. */
  readonly size: number;
  /** Permissions of a new file. */
  readonly mode: number;
  /** Seconds after which an address gets an answer again; 0 for never. */
  readonly repeat: number;
}

const timeLength = 8;
const largest = 64 * 1024 * 1024;

/** Where a DBM file of Exim is kept when a new file has taken its place. */
const formerName = (path: Clean): Clean => concat(path, literal('.dbm'));

/** When `to` was sent an answer, in seconds since 1970; the file is made when it is not there. @throws the system's error */
export function timeSent({ path, mode }: OnceFile, to: string): number | undefined {
  const file = files.open(path, files.createOrOpen, mode);
  try {
    if (isDbm(file)) return timeInDbm(file, to);
    const entries = readAll(file);
    const at = find(entries, to);
    if (at !== undefined) return timeAt(entries, at);
  } finally {
    files.close(file);
  }
  const former = files.stat(formerName(path)) === undefined ? undefined : files.open(formerName(path));
  if (former === undefined) return undefined;
  try {
    return isDbm(former) ? timeInDbm(former, to) : undefined;
  } finally {
    files.close(former);
  }
}

/** Notes that `to` was sent an answer. The oldest entries make room when the file would grow too large. */
export function writeSent({ path, size, mode }: OnceFile, to: string, now: number): void {
  let file = files.open(path, files.createOrOpen, mode);
  try {
    if (isDbm(file)) {
      files.rename(path, formerName(path));
      files.close(file);
      file = files.open(path, files.createOrOpen, mode);
    }
    const time = Buffer.alloc(timeLength);
    time.writeBigUInt64LE(BigInt(now));
    const entries = readAll(file);
    const at = find(entries, to);
    if (at !== undefined) {
      files.writeAt(file, time, at);
      return;
    }
    const added = Buffer.concat([time, Buffer.from(`${to}\0`, 'latin1')]);
    const from = size === 0 ? 0 : firstKept(entries, size - added.length);
    if (from === 0) {
      files.writeAt(file, added, entries.length);
      return;
    }
    const renewed = Buffer.concat([entries.subarray(from), added]);
    files.writeAt(file, renewed, 0);
    files.truncate(file, renewed.length);
  } finally {
    files.close(file);
  }
}

/** Its entries, whole ones only. */
function readAll(file: files.Descriptor): Buffer {
  const { size } = files.statOpen(file);
  if (size > largest) throw Object.assign(new Error('the file is too large'), { code: 'EFBIG' });
  const octets = Buffer.alloc(size);
  const entries = octets.subarray(0, files.readAt(file, octets, 0));
  let end = 0;
  for (let next = nextEntry(entries, 0); next !== undefined; next = nextEntry(entries, end)) end = next;
  return entries.subarray(0, end);
}

/** Where the entry behind the one at `at` begins; nothing when that one is not whole. */
function nextEntry(entries: Buffer, at: number): number | undefined {
  const end = at + timeLength > entries.length ? -1 : entries.indexOf(0, at + timeLength);
  return end < 0 ? undefined : end + 1;
}

function find(entries: Buffer, to: string): number | undefined {
  const wanted = Buffer.from(`${to}\0`, 'latin1');
  let at = 0;
  for (let next = nextEntry(entries, 0); next !== undefined; at = next, next = nextEntry(entries, at)) {
    if (entries.subarray(at + timeLength, next).equals(wanted)) return at;
  }
  return undefined;
}

/** Where the entries begin that fit into `room` octets; the newest stand last. */
function firstKept(entries: Buffer, room: number): number {
  let at = 0;
  while (entries.length - at > Math.max(room, 0)) at = nextEntry(entries, at) ?? entries.length;
  return at;
}

const timeAt = (entries: Buffer, at: number): number => Number(entries.readBigUInt64LE(at));

function isDbm(file: files.Descriptor): boolean {
  const start = Buffer.alloc(16);
  return files.readAt(file, start, 0) === start.length && isBerkeley(start);
}

/** Exim's own file: the address with or without a zero octet, and the time. */
function timeInDbm(file: files.Descriptor, to: string): number | undefined {
  const table = new BerkeleyHash(file);
  const value = table.find(Buffer.from(to, 'latin1')) ?? table.find(Buffer.from(`${to}\0`, 'latin1'));
  return value === undefined || value.length < timeLength ? undefined : timeAt(Buffer.from(value, 'latin1'), 0);
}
