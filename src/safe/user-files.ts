/**
 * Users and groups of /etc/passwd and /etc/group, read again when the files change. Other sources (LDAP, systemd …) are
 * the C library's business; here is only said whether there are any.
 */

import * as files from './files.ts';
import { type Clean, literal } from './taint.ts';

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string | null;
  readonly home: string | null;
  readonly shell: string | null;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
}

/** A table of one file by name and number; the first of several lines counts, as in the C library. */
class EntryFile<T> {
  readonly #path: Clean;
  readonly #parse: (fields: readonly string[]) => readonly [name: string, id: number, entry: T] | undefined;
  #stamp = '';
  #byName = new Map<string, T>();
  #byId = new Map<number, T>();

  constructor(
    path: Clean,
    parse: (fields: readonly string[]) => readonly [name: string, id: number, entry: T] | undefined,
  ) {
    this.#path = path;
    this.#parse = parse;
  }

  #refresh(): void {
    const found = files.stat(this.#path);
    const stamp = found === undefined ? '' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#byName = new Map();
    this.#byId = new Map();
    if (found === undefined) return;
    for (const line of files.readText(this.#path).split('\n')) {
      const row = this.#parse(line.split(':'));
      if (row === undefined) continue;
      const [name, id, entry] = row;
      if (!this.#byName.has(name)) this.#byName.set(name, entry);
      if (!this.#byId.has(id)) this.#byId.set(id, entry);
    }
  }

  find(key: string | number): T | undefined {
    this.#refresh();
    return typeof key === 'string' ? this.#byName.get(key) : this.#byId.get(key);
  }
}

const isNumber = (text: string | undefined): text is string => text !== undefined && /^\d{1,10}$/.test(text);

const users = new EntryFile<PasswdEntry>(literal('/etc/passwd'), ([name = '', , uid, gid, gecos, home, shell]) => {
  if (name === '' || !isNumber(uid) || !isNumber(gid)) return undefined;
  const entry = { name, uid: Number(uid), gid: Number(gid) };
  return [name, entry.uid, { ...entry, gecos: gecos ?? null, home: home ?? null, shell: shell ?? null }];
});

const groups = new EntryFile<GroupEntry>(literal('/etc/group'), ([name = '', , gid]) =>
  name === '' || !isNumber(gid) ? undefined : [name, Number(gid), { name, gid: Number(gid) }],
);

/** The entry of a name or number in /etc/passwd. */
export function userEntry(key: string | number): PasswdEntry | undefined {
  return users.find(key);
}

export function groupEntry(key: string | number): GroupEntry | undefined {
  return groups.find(key);
}

const switchFile = literal('/etc/nsswitch.conf');
/** Where services leave sockets that systemd's records of users are asked from. */
const systemdRecords = literal('/run/systemd/userdb');

/** Whether /etc/passwd and /etc/group are all there is, in that order of questions (nsswitch.conf(5)). */
export function onlyFiles(database: 'passwd' | 'group'): boolean {
  if (files.stat(switchFile) === undefined) return true;
  const line = files
    .readText(switchFile)
    .split('\n')
    .find((each) => each.startsWith(`${database}:`));
  const sources = (line ?? 'files').replace(/^\w+:|#.*|\[[^\]]*\]/g, ' ').match(/\w+/g) ?? ['files'];
  return sources.every(
    (source) => source === 'files' || (source === 'systemd' && files.stat(systemdRecords) === undefined),
  );
}
