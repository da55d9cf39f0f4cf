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

/** What was made of the lines of a file, until it changes. */
class KeptFile<T> {
  readonly #path: Clean;
  readonly #parse: (lines: readonly string[]) => T;
  #stamp = '';
  #value: T;

  constructor(path: Clean, parse: (lines: readonly string[]) => T) {
    this.#path = path;
    this.#parse = parse;
    this.#value = parse([]);
  }

  get value(): T {
    const found = files.stat(this.#path);
    const stamp = found === undefined ? '' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#value = this.#parse(found === undefined ? [] : files.readText(this.#path).split('\n'));
    }
    return this.#value;
  }
}

/** A table of one file by name and number; the first of several lines counts, as in the C library. */
class EntryFile<T> {
  readonly #file: KeptFile<{ readonly byName: Map<string, T>; readonly byId: Map<number, T> }>;

  constructor(
    path: Clean,
    parse: (fields: readonly string[]) => readonly [name: string, id: number, entry: T] | undefined,
  ) {
    this.#file = new KeptFile(path, (lines) => {
      const [byName, byId] = [new Map<string, T>(), new Map<number, T>()];
      for (const line of lines) {
        const row = parse(line.split(':'));
        if (row === undefined) continue;
        const [name, id, entry] = row;
        if (!byName.has(name)) byName.set(name, entry);
        if (!byId.has(id)) byId.set(id, entry);
      }
      return { byName, byId };
    });
  }

  find(key: string | number): T | undefined {
    const { byName, byId } = this.#file.value;
    return typeof key === 'string' ? byName.get(key) : byId.get(key);
  }
}

const onlyFilesSources: readonly string[] = ['files'];

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

/** The sources of each database, as its first line says. */
const switchFile = new KeptFile(
  literal('/etc/nsswitch.conf'),
  (lines) =>
    new Map(
      lines.toReversed().flatMap((line) => {
        const database = /^(\w+):/.exec(line)?.[1];
        const sources = line.replace(/^\w+:|#.*|\[[^\]]*\]/g, ' ').match(/\w+/g);
        return database === undefined ? [] : [[database, sources ?? onlyFilesSources] as const];
      }),
    ),
);
/** Where services leave sockets that systemd's records of users are asked from. */
const systemdRecords = literal('/run/systemd/userdb');

/** Whether /etc/passwd and /etc/group are all there is, in that order of questions (nsswitch.conf(5)). */
export function onlyFiles(database: 'passwd' | 'group'): boolean {
  const sources = switchFile.value.get(database) ?? onlyFilesSources;
  return sources.every(
    (source) => source === 'files' || (source === 'systemd' && files.stat(systemdRecords) === undefined),
  );
}
