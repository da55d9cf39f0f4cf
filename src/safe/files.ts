/**
 * The one door to the file system. Every name that comes in is `Clean` (see `safe/taint`), so no text from outside
 * becomes part of a path unless somebody vouched for it. Contents and names are octets; text is latin1, one character per
 * octet.
 *
 * Small operations on the page cache are synchronous, because a trip through the thread pool costs more than they do;
 * what waits for a disk (`sync`, `syncDirectory`) is asynchronous.
 */

import fs, { type Stats } from 'node:fs';
import { passed } from './memory.ts';
import { type Clean, concat, decimal, literal, pathOf, reviewed } from './taint.ts';

export type { Stats };

/** An open file. */
export type Descriptor = number & { readonly descriptor?: never };

export const readOnly = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
export const readWrite = fs.constants.O_RDWR;
export const createNew = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL;
export const createOrAppend = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_APPEND;
export const createOrOpen = fs.constants.O_RDWR | fs.constants.O_CREAT;
/** For a named pipe: fails when nobody reads it. */
export const writeWithoutWaiting = fs.constants.O_WRONLY | fs.constants.O_NONBLOCK;
/** Added to the modes above: every write goes to the end. */
export const appending = fs.constants.O_APPEND;
/** Added to the modes above: the last component may not be a symbolic link. */
export const noFollow = fs.constants.O_NOFOLLOW;

const beyondAscii = /[\x80-\xff]/;

/** A name as the system is to get it: its octets, and not their characters in UTF-8. */
export function systemName(path: Clean): string | Buffer {
  return beyondAscii.test(path) ? Buffer.from(path, 'latin1') : path;
}

/** Opens `path`; throws the system's error. */
export function open(path: Clean, flags: number = readOnly, mode = 0o600): Descriptor {
  return fs.openSync(systemName(path), flags, mode);
}

export function close(file: Descriptor): void {
  fs.closeSync(file);
}

/** Reads up to `length` octets at `position` into `buffer`; answers how many there were. */
export function readAt(file: Descriptor, buffer: Uint8Array, position: number, length = buffer.length): number {
  let done = 0;
  while (done < length) {
    const count = fs.readSync(file, buffer, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Reads the next octets of a file or pipe; 0 at its end. */
export function readNext(file: Descriptor, buffer: Uint8Array): number {
  return fs.readSync(file, buffer, 0, buffer.length, null);
}

/** Reads at `position` without stopping the event loop. */
export function readLater(file: Descriptor, buffer: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(file, buffer, 0, buffer.length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** Writes all of `data` at the file's own position (or its end, if it was opened to append). */
export function write(file: Descriptor, data: Uint8Array | string): void {
  const octets = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  let done = 0;
  while (done < octets.length) done += fs.writeSync(file, octets, done, octets.length - done, null);
}

/** Writes all of `data` at `position`. */
export function writeAt(file: Descriptor, data: Uint8Array, position: number): void {
  let done = 0;
  while (done < data.length) done += fs.writeSync(file, data, done, data.length - done, position + done);
}

/** Writes all of `data` without stopping the event loop; for bodies that may be large. */
export async function writeLater(file: Descriptor, data: Uint8Array): Promise<void> {
  let done = 0;
  while (done < data.length) {
    done += await new Promise<number>((resolve, reject) => {
      fs.write(file, data, done, data.length - done, null, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }
  passed(data.length);
}

/** As `writeLater`, for many pieces, without copying them together. */
export async function writeAllLater(file: Descriptor, pieces: readonly Uint8Array[]): Promise<void> {
  const count = await new Promise<number>((resolve, reject) => {
    fs.writev(file, pieces, null, (error, written) => (error ? reject(error) : resolve(written)));
  });
  let done = 0;
  for (const piece of pieces) {
    // a signal or a full disk may cut the call short
    if (done + piece.length > count) await writeLater(file, piece.subarray(Math.max(count - done, 0)));
    done += piece.length;
  }
  passed(done);
}

/** Waits until the contents of the file are on the disk. */
export function sync(file: Descriptor): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(file, (error) => (error ? reject(error) : resolve()));
  });
}

export function truncate(file: Descriptor, length: number): void {
  fs.ftruncateSync(file, length);
}

export function statOpen(file: Descriptor): Stats {
  return fs.fstatSync(file);
}

/** What `path` names, following links; nothing when there is no such file. Other errors are thrown. */
export function stat(path: Clean): Stats | undefined {
  return fs.statSync(systemName(path), { throwIfNoEntry: false });
}

/** What `path` itself is, a link included; nothing when there is no such file. */
export function linkStat(path: Clean): Stats | undefined {
  return fs.lstatSync(systemName(path), { throwIfNoEntry: false });
}

/** Whether the process may use the file in the given ways (`r`, `w`, `x`), by its effective ids as far as Node tells. */
export function mayAccess(path: Clean, how: 'r' | 'w' | 'x'): boolean {
  const modes = { r: fs.constants.R_OK, w: fs.constants.W_OK, x: fs.constants.X_OK };
  try {
    fs.accessSync(systemName(path), modes[how]);
    return true;
  } catch {
    return false;
  }
}

/** Whether the path names the device that gives nothing. */
export function isNullDevice(path: Clean): boolean {
  const found = stat(path);
  return found?.isCharacterDevice() === true && found.rdev === stat(literal('/dev/null'))?.rdev;
}

/** The whole file as latin1 text. Throws when it is longer than `limit` octets, or is no regular file. */
export function readText(path: Clean, limit = 64 * 1024 * 1024): string {
  return read(path, limit).toString('latin1');
}

/** The whole file. Throws when it is longer than `limit` octets, or is no regular file. */
export function read(path: Clean, limit = 64 * 1024 * 1024): Buffer {
  const file = open(path);
  try {
    const found = statOpen(file);
    if (!found.isFile()) throw Object.assign(new Error(`${path} is not a regular file`), { code: 'EINVAL' });
    if (found.size > limit) throw Object.assign(new Error(`${path} is too large`), { code: 'EFBIG' });
    const buffer = Buffer.alloc(found.size);
    return buffer.subarray(0, readAt(file, buffer, 0));
  } finally {
    close(file);
  }
}

function* entriesOf(directory: Clean): Generator<fs.Dirent> {
  const opened = fs.opendirSync(systemName(directory), { encoding: 'latin1' as BufferEncoding, bufferSize: 256 });
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) yield entry;
  } finally {
    opened.closeSync();
  }
}

/** The names in a directory, `.` and `..` left out, in no order. They are untrusted. Read piece by piece. */
export function* list(directory: Clean): Generator<string> {
  for (const { name } of entriesOf(directory)) yield name;
}

/** As `list`, the names of directories only; links to some are none. */
export function* listDirectories(directory: Clean): Generator<string> {
  for (const entry of entriesOf(directory)) if (entry.isDirectory()) yield entry.name;
}

/** Makes one directory with exactly this mode. Answers false when something of that name was already there. */
export function makeDirectory(path: Clean, mode: number): boolean {
  try {
    fs.mkdirSync(systemName(path), mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  fs.chmodSync(systemName(path), mode);
  return true;
}

/** Makes a directory and whatever is missing above it, each with `mode`. Answers whether any was made. */
export function makeDirectories(path: Clean, mode: number): boolean {
  if (stat(path)?.isDirectory()) return false;
  const parent = parentOf(path);
  if (parent !== undefined) makeDirectories(parent, mode);
  return makeDirectory(path, mode);
}

/** The directory that holds `path`, or nothing for the root and for a bare name. */
export function parentOf(path: Clean): Clean | undefined {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  return slash <= 0 ? undefined : reviewed(trimmed.slice(0, slash), 'a leading part of a clean path');
}

export function rename(from: Clean, to: Clean): void {
  fs.renameSync(systemName(from), systemName(to));
}

export function makeLink(from: Clean, to: Clean): void {
  fs.linkSync(systemName(from), systemName(to));
}

/** Removes a file; answers false when there was none. */
export function remove(path: Clean): boolean {
  try {
    fs.unlinkSync(systemName(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes a file that only saves space; that it cannot be removed costs nothing. */
export function removeIfPossible(path: Clean): void {
  try {
    fs.unlinkSync(systemName(path));
  } catch {
    // nothing depends on it
  }
}

/** Removes an empty directory. */
export function removeDirectory(path: Clean): void {
  fs.rmdirSync(systemName(path));
}

export function setMode(file: Descriptor | Clean, mode: number): void {
  if (typeof file === 'number') fs.fchmodSync(file, mode);
  else fs.chmodSync(systemName(file), mode);
}

/** Sets the owner and group of a file. */
export function setOwner(file: Descriptor | Clean, uid: number, gid: number): void {
  if (typeof file === 'number') fs.fchownSync(file, uid, gid);
  else fs.chownSync(systemName(file), uid, gid);
}

/** Sets the modification time, in milliseconds since 1970; the access time becomes the same unless it is given. */
export function setTime(path: Clean, milliseconds: number, accessed = milliseconds): void {
  fs.utimesSync(systemName(path), accessed / 1000, milliseconds / 1000);
}

/** The path with all links and `..` resolved. A clean path that names a link leads where the link's owner says. */
export function realPath(path: Clean): Clean {
  return reviewed(
    fs.realpathSync.native(systemName(path), { encoding: 'latin1' as BufferEncoding }),
    'the system resolved a clean path',
  );
}

let temporary = 0;

/**
 * Puts `data` under `path` so that a reader sees the old contents or the new, never a part: written beside it, synced,
 * renamed, and the directory synced.
 */
export async function replace(path: Clean, data: Uint8Array | string, mode: number): Promise<void> {
  const beside = concat(path, literal('.'), decimal(process.pid), literal('.'), decimal(++temporary), literal('.new'));
  const file = open(beside, createNew, mode);
  try {
    write(file, data);
    await sync(file);
  } catch (error) {
    removeIfPossible(beside);
    throw error;
  } finally {
    close(file);
  }
  rename(beside, path);
  await syncDirectory(parentOf(path) ?? literal('.'));
}

interface DirectorySync {
  running: Promise<void>;
  next: Promise<void> | undefined;
}

const directorySyncs = new Map<string, DirectorySync>();

function syncDirectoryNow(path: Clean): Promise<void> {
  return new Promise((resolve, reject) => {
    const file = fs.openSync(systemName(path), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    fs.fsync(file, (error) => {
      fs.closeSync(file);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Begins to sync a directory, and notes that it does as long as it takes. */
function beginSync(path: Clean): Promise<void> {
  const entry: DirectorySync = { running: syncDirectoryNow(path), next: undefined };
  directorySyncs.set(path, entry);
  const finished = (): void => {
    if (directorySyncs.get(path) === entry) directorySyncs.delete(path);
  };
  entry.running.then(finished, finished);
  return entry.running;
}

/**
 * Waits until the names in a directory are on the disk. Calls that come while one is running share the next, so that a
 * hundred messages received together cost two system calls and not a hundred.
 */
export function syncDirectory(path: Clean): Promise<void> {
  const pending = directorySyncs.get(path);
  if (pending === undefined) return beginSync(path);
  pending.next ??= pending.running.catch(() => undefined).then(() => beginSync(path));
  return pending.next;
}

/** Free and total octets and inodes of the file system that holds `path`. */
export function space(path: Clean): { readonly free: number; readonly freeInodes: number; readonly inodes: number } {
  const found = fs.statfsSync(systemName(path));
  return { free: found.bavail * found.bsize, freeInodes: found.ffree, inodes: found.files };
}

/** A path below `directory` for one of the program's own clean names. */
export const within = pathOf;
