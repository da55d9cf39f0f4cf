/**
 * Who gets which names in qmail (qmail-users(5), qmail-getpw(8)): `users/assign` or `users/cdb`, then the accounts of the
 * system, then ~alias. Each is a space of names, with the .qmail files that say what becomes of them.
 */

import { CdbProblem, cdbRecords } from '../../lib/cdb.ts';
import { errorText } from '../../lib/errno.ts';
import { lower } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import type { Clean } from '../../safe/taint.ts';
import { inputFile, inputLines } from './input-lines.ts';
import type { Origin, Teller } from './record.ts';

export interface NameSpace {
  /** The name itself, or what names begin with. */
  readonly name: string;
  readonly exact: boolean;
  readonly user: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly home: string;
  /** Files are `.qmail`, `dash`, `extension` and, for prefixes, the rest of the name. */
  readonly dash: string;
  readonly extension: string;
  readonly origin: Origin;
}

const numeric = (text: string): number | undefined => (/^\d{1,10}$/.test(text) ? Number(text) : undefined);

function spaceOf(mark: string, name: string, fields: readonly string[], origin: Origin): NameSpace | undefined {
  const [user = '', uid = '', gid = '', home = '', dash, extension] = fields;
  if (user === '' || dash === undefined || extension === undefined || !home.startsWith('/')) return undefined;
  return {
    name: lower(name),
    exact: mark === '=',
    user,
    uid: numeric(uid),
    gid: numeric(gid),
    home: home.replace(/\/+$/, '') || '/',
    dash,
    extension,
    origin,
  };
}

/** `=name:user:uid:gid:home:dash:extension:` and `+prefix:…`; a line with a dot ends the file. */
export function* assignments(path: Clean, teller: Teller): Generator<NameSpace> {
  for (const { text, line } of inputLines(path, teller)) {
    if (text === '.') return;
    const origin = { file: path, line };
    if (text === '' || text.startsWith('#')) continue;
    const [name = '', ...fields] = text.slice(1).split(':');
    const space = /^[=+]/.test(text) ? spaceOf(text.slice(0, 1), name, fields, origin) : undefined;
    if (space === undefined)
      teller.lost(origin, 'this is no assignment: =name or +prefix, and six more fields are needed');
    else if (space.uid === undefined || space.gid === undefined) teller.lost(origin, 'uid and gid must be numbers');
    else yield space;
  }
  teller.remark({ file: path }, 'the file has no line with a dot at its end; qmail takes that for a damaged file');
}

/** The same out of the table that qmail-newu makes, for when the text is gone. */
export function* assignmentsOfCdb(path: Clean, teller: Teller): Generator<NameSpace> {
  let file: files.Descriptor;
  try {
    file = files.open(path);
  } catch (error) {
    teller.lost({ file: path }, errorText(error));
    return;
  }
  try {
    for (const { key, value } of cdbRecords(file)) {
      // the empty key lists the characters that prefixes end with
      if (!key.startsWith('!')) continue;
      const exact = key.endsWith('\0');
      const name = key.slice(1, exact ? -1 : undefined);
      const space = spaceOf(exact ? '=' : '+', name, value.split('\0'), { file: path });
      if (space === undefined) teller.lost({ file: path }, `the entry of "${name}" is damaged`);
      else yield space;
    }
  } catch (error) {
    if (!(error instanceof CdbProblem)) throw error;
    teller.lost({ file: path }, error.message);
  } finally {
    files.close(file);
  }
}

/** The accounts of a passwd file that get mail: not root, with a home that is theirs. */
export function* accounts(path: Clean, teller: Teller): Generator<NameSpace> {
  for (const { text, line } of inputLines(path, teller)) {
    if (text === '' || /^[#+-]/.test(text)) continue;
    const origin = { file: path, line };
    const [user = '', , uidText = '', gidText = '', , home = ''] = text.split(':');
    const uid = numeric(uidText);
    const gid = numeric(gidText);
    if (uid === undefined || gid === undefined || user === '') {
      teller.lost(origin, 'this is no line of a passwd file');
      continue;
    }
    // as qmail-getpw: names in lower case, and root's mail is ~alias's
    if (uid === 0 || user !== lower(user) || !home.startsWith('/')) continue;
    if (files.stat(inputFile(home))?.uid !== uid) continue;
    const common = { user, uid, gid, home: home.replace(/\/+$/, '') || '/', extension: '', origin };
    yield { ...common, name: user, exact: true, dash: '' };
    yield { ...common, name: `${user}-`, exact: false, dash: '-' };
  }
}

/** Spaces of one rank: names first, then the longest of the prefixes. */
class Rank {
  readonly #exact = new Map<string, NameSpace>();
  readonly #prefixes = new Map<string, NameSpace>();

  /** The first of two that say the same counts. Answers whether it is the first. */
  add(space: NameSpace): boolean {
    const spaces = space.exact ? this.#exact : this.#prefixes;
    if (spaces.has(space.name)) return false;
    spaces.set(space.name, space);
    return true;
  }

  *all(): Generator<NameSpace> {
    yield* this.#exact.values();
    yield* this.#prefixes.values();
  }

  of(name: string): NameSpace | undefined {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    for (let length = name.length; length >= 0 && this.#prefixes.size > 0; length--) {
      const space = this.#prefixes.get(name.slice(0, length));
      if (space !== undefined) return space;
    }
    return undefined;
  }
}

/** Finds the space that a name belongs to. */
export class NameSpaces {
  readonly assigned = new Rank();
  readonly accounts = new Rank();
  readonly #alias: NameSpace;

  constructor(alias: NameSpace) {
    this.#alias = alias;
  }

  *all(): Generator<NameSpace> {
    yield* this.assigned.all();
    yield* this.accounts.all();
    yield this.#alias;
  }

  of(name: string): NameSpace {
    return this.assigned.of(name) ?? this.accounts.of(name) ?? this.#alias;
  }
}
