/**
 * The machine's users and groups. Those of /etc/passwd and /etc/group are read there; for others the C library is asked,
 * so that every source counts that the machine is set up with.
 */

import { koffi } from './koffi.ts';
import { type Clean, literal, reviewed } from './taint.ts';
import { type GroupEntry, groupEntry, onlyFiles, type PasswdEntry, userEntry } from './user-files.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  /** The administrator's user list vouches for it. */
  readonly home: Clean;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
}

interface Calls {
  readonly userByName: (name: string) => PasswdEntry | null;
  readonly userById: (uid: number) => PasswdEntry | null;
  readonly groupByName: (name: string) => GroupEntry | null;
  readonly groupById: (gid: number) => GroupEntry | null;
}

let calls: Calls | undefined;

function load(): Calls {
  if (calls !== undefined) return calls;
  const { load: open, struct, decode } = koffi();
  const libc = open('libc.so.6');
  const passwd = struct('passwd', {
    name: 'char *',
    password: 'char *',
    uid: 'uint32',
    gid: 'uint32',
    gecos: 'char *',
    home: 'char *',
    shell: 'char *',
  });
  const group = struct('group', { name: 'char *', password: 'char *', gid: 'uint32', members: 'void *' });
  const decoded =
    <A, T>(call: (argument: A) => bigint | null, type: typeof passwd) =>
    (argument: A): T | null => {
      const pointer = call(argument);
      return pointer === null ? null : decode(pointer, type);
    };
  calls = {
    userByName: decoded(libc.func('void *getpwnam(const char *name)'), passwd),
    userById: decoded(libc.func('void *getpwuid(uint32_t uid)'), passwd),
    groupByName: decoded(libc.func('void *getgrnam(const char *name)'), group),
    groupById: decoded(libc.func('void *getgrgid(uint32_t gid)'), group),
  };
  return calls;
}

/** Octets of the longest name that is looked for; 0 for any. */
let longestName = 0;

/** Names that are longer are not found, whatever the system would say (Exim spec 14, max_username_length). */
export function limitUserNames(most: number): void {
  longestName = most;
}

function findUser(key: string | number): PasswdEntry | null {
  if (typeof key === 'string' && longestName > 0 && key.length > longestName) return null;
  const listed = userEntry(key);
  if (listed !== undefined || onlyFiles('passwd')) return listed ?? null;
  return typeof key === 'string' ? load().userByName(key) : load().userById(key);
}

function findGroup(key: string | number): GroupEntry | null {
  const listed = groupEntry(key);
  if (listed !== undefined || onlyFiles('group')) return listed ?? null;
  return typeof key === 'string' ? load().groupByName(key) : load().groupById(key);
}

function asUser(entry: PasswdEntry | null): User | undefined {
  if (entry === null) return undefined;
  return {
    name: entry.name,
    uid: entry.uid,
    gid: entry.gid,
    gecos: entry.gecos ?? '',
    home: reviewed(entry.home ?? '/', 'the home directory in the user list'),
    shell: entry.shell ?? '',
  };
}

/** Whether a name can be handed to the C library at all. */
function plausible(name: string): boolean {
  return name !== '' && name.length <= 256 && !name.includes('\0');
}

/** A number of a user or group as text; a negative one counts from the largest. */
function idOf(text: string): number | undefined {
  return /^-?\d{1,10}$/.test(text) ? Number(text) >>> 0 : undefined;
}

/** A user by name, or by number when the text is one. Numbers need not be in the user list. */
export function userNamed(name: string): User | undefined {
  if (!plausible(name)) return undefined;
  const entry = findUser(name);
  if (entry !== null) return asUser(entry);
  const uid = idOf(name);
  if (uid === undefined) return undefined;
  return userWithId(uid) ?? { name: String(uid), uid, gid: -1, gecos: '', home: literal('/'), shell: '' };
}

export function userWithId(uid: number): User | undefined {
  return asUser(findUser(uid));
}

/** A group by name, or by number. */
export function groupNamed(name: string): Group | undefined {
  if (!plausible(name)) return undefined;
  const entry = findGroup(name);
  if (entry !== null) return { name: entry.name, gid: entry.gid };
  const gid = idOf(name);
  return gid === undefined ? undefined : { name: String(gid), gid };
}

export function groupWithId(gid: number): Group | undefined {
  const entry = findGroup(gid);
  return entry === null ? undefined : { name: entry.name, gid: entry.gid };
}
