/**
 * A qmail system: its control files, who has which names, and all .qmail files. Names are found by looking at the files
 * that are there, so a directory of any size is gone through once.
 */

import { lower } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import { type Clean, literal, pathOf } from '../../safe/taint.ts';
import { type DotQmail, readDotQmail } from './dot-qmail.ts';
import { inputFile } from './input-lines.ts';
import { type QmailControl, qmailControl } from './qmail-control.ts';
import { accounts, assignments, assignmentsOfCdb, type NameSpace, NameSpaces } from './qmail-users.ts';
import {
  type Imported,
  type ImportSource,
  type Origin,
  plainUser,
  type Target,
  type Teller,
  Unreadable,
} from './record.ts';
import { keyTarget } from './targets.ts';

export interface QmailRules {
  /** `/var/qmail`: `control`, `users` and, unless `aliasHome` says another, `alias` lie in it. */
  readonly directory: Clean;
  readonly aliasHome: Clean | undefined;
  /** A passwd file whose accounts get mail. */
  readonly accounts: Clean | undefined;
}

/** Where the names of a space that are not exact have their default: `.qmail-default`. */
const defaultName = 'default';

class QmailReader {
  readonly #control: QmailControl;
  readonly #spaces: NameSpaces;
  readonly #teller: Teller;
  /** Virtual domains by their prefix. */
  readonly #virtual = new Map<string, string[]>();
  /** Default files by the names they stand for, so that each virtual domain finds its own. */
  readonly #defaults = new Map<string, { readonly dots: DotQmail; readonly space: NameSpace; readonly file: string }>();
  /** Whose a mailbox is: the first of two names that lead to it. */
  readonly #mailboxes = new Map<string, string>();
  #unused = 0;

  constructor(control: QmailControl, spaces: NameSpaces, teller: Teller) {
    this.#control = control;
    this.#spaces = spaces;
    this.#teller = teller;
    for (const { domain, prefix } of control.virtual) {
      this.#virtual.set(prefix, [...(this.#virtual.get(prefix) ?? []), domain]);
    }
  }

  *read(): Generator<Imported> {
    const { locals, virtual, relay } = this.#control;
    for (const { domain, origin } of locals) yield { kind: 'domain', domain, use: 'local', origin };
    for (const { domain, origin } of virtual) {
      if (!domain.includes('@')) yield { kind: 'domain', domain, use: 'local', origin };
    }
    for (const { domain, origin } of relay) yield { kind: 'domain', domain, use: 'relay', origin };
    for (const space of this.#spaces.all()) yield* this.#readSpace(space);
    yield* this.#readDefaults();
    if (this.#unused > 0) {
      const what = `${this.#unused} names of virtual domains can also be written with a local domain in qmail`;
      this.#teller.remark({ file: 'qmail' }, `${what}; that is not carried over`);
    }
  }

  *#readSpace(space: NameSpace): Generator<Imported> {
    if (space.exact) {
      yield* this.#readName(space.name, `.qmail${space.dash}${space.extension}`, space);
      return;
    }
    const start = `.qmail${space.dash}${space.extension}`;
    const home = inputFile(space.home);
    try {
      for (const file of files.list(home)) {
        if (!file.startsWith(start) || file.length === start.length) continue;
        const rest = file.slice(start.length);
        if (rest === defaultName || rest.endsWith(`-${defaultName}`)) {
          const dots = this.#readFile(file, space);
          const name = space.name + lower(rest.slice(0, -defaultName.length)).replaceAll(':', '.');
          if (dots !== undefined && this.#spaces.of(name) === space) this.#defaults.set(name, { dots, space, file });
          continue;
        }
        const name = space.name + rest.replaceAll(':', '.');
        if (rest !== lower(rest)) {
          this.#teller.lost(originOf(space, file), 'qmail finds no file whose name has capital letters');
        } else if (this.#spaces.of(name) === space) {
          this.#tellOwner(file, space);
          yield* this.#readName(name, file, space);
        }
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#teller.lost(
        space.origin,
        `${space.home}: ${error.code === 'ENOENT' ? 'there is no such directory' : error.message}`,
      );
    }
  }

  /** With `.qmail-list-owner` beside `.qmail-list`, qmail changes the sender of what the list sends. */
  #tellOwner(file: string, space: NameSpace): void {
    if (files.linkStat(inputFile(`${space.home}/${file}-owner`)) === undefined) return;
    this.#teller.remark(
      originOf(space, file),
      'qmail makes its -owner the sender of what it forwards: set errors_to in the router',
    );
  }

  /** The file's contents; nothing when it cannot be had, which is told. */
  #readFile(file: string, space: NameSpace): DotQmail | undefined {
    const { home, uid } = space;
    const path = inputFile(`${home}/${file}`);
    const { defaultDelivery, addedDomain } = this.#control;
    try {
      return readDotQmail(path, { home, owner: uid, defaultDelivery, domain: addedDomain }, this.#teller);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#teller.lost({ file: path }, error.message);
      return undefined;
    }
  }

  *#readName(name: string, file: string, space: NameSpace): Generator<Imported> {
    const path = inputFile(`${space.home}/${file}`);
    const isThere = files.linkStat(path) !== undefined;
    // a user without the file has the default delivery; an extension without it does not exist
    const isOwn = space.dash === '' && space.extension === '';
    if (!isThere && !isOwn) {
      if (space.exact) this.#teller.lost(space.origin, `${name}: there is no ${path}`);
      return;
    }
    const dots = isThere ? this.#readFile(file, space) : this.#defaultDelivery(space);
    if (dots === undefined) return;
    yield* this.#records(name, dots, space, isThere ? { file: path } : space.origin);
  }

  #defaultDelivery({ home }: NameSpace): DotQmail {
    const text = this.#control.defaultDelivery;
    const mailbox = text.startsWith('/') ? text : `${home.replace(/\/+$/, '')}/${text.replace(/^\.\//, '')}`;
    return { targets: [], mailbox };
  }

  /** The addresses that a name of qmail's stands for; the first is the one of a mailbox. */
  #addressesOf(name: string): readonly string[] {
    const found: string[] = [];
    for (let at = name.indexOf('-'); at >= 0; at = name.indexOf('-', at + 1)) {
      for (const domain of this.#virtual.get(name.slice(0, at)) ?? []) {
        const rest = name.slice(at + 1);
        // a line of virtualdomains for one address
        const separate = domain.lastIndexOf('@');
        if (separate < 0) found.push(`${rest}@${domain}`);
        else if (domain.slice(0, separate) === rest) found.push(domain);
      }
    }
    if (found.length > 0) {
      this.#unused++;
      return found;
    }
    return this.#control.locals.map(({ domain }) => `${name}@${domain}`);
  }

  *#records(name: string, dots: DotQmail, space: NameSpace, origin: Origin): Generator<Imported> {
    const [address, ...others] = this.#addressesOf(name);
    if (address === undefined) {
      this.#teller.lost(origin, `${name}: it belongs to no domain`);
      return;
    }
    const first = dots.mailbox === undefined ? undefined : this.#mailboxes.get(dots.mailbox);
    if (dots.mailbox !== undefined && first === undefined) this.#mailboxes.set(dots.mailbox, address);
    if (first === undefined) yield* addressRecords(address, dots, space, origin);
    else yield aliasOf(address, [keyTarget(first), ...dots.targets], origin);
    for (const other of others) yield aliasOf(other, [keyTarget(address)], origin);
  }

  /** `.qmail-default`: for a whole domain it is a line with a star; for a part of one there is no such line. */
  *#readDefaults(): Generator<Imported> {
    const used = new Set<string>();
    const ofDomain = (name: string): readonly [string, DotQmail, NameSpace, string] | undefined => {
      const space = this.#spaces.of(name);
      for (let length = name.length; length >= 0; length--) {
        const start = name.slice(0, length);
        const found = this.#defaults.get(start);
        if (found !== undefined && found.space === space) return [start, found.dots, space, found.file];
      }
      return undefined;
    };
    for (const { domain, prefix } of this.#control.virtual) {
      const found = domain.includes('@') ? undefined : ofDomain(`${prefix}-`);
      if (found === undefined) continue;
      used.add(found[0]);
      yield* this.#defaultOf(domain, found[1], originOf(found[2], found[3]));
    }
    const all = this.#defaults.get('');
    if (all !== undefined) {
      used.add('');
      for (const { domain } of this.#control.locals)
        yield* this.#defaultOf(domain, all.dots, originOf(all.space, all.file));
    }
    for (const [name, { space, file }] of this.#defaults) {
      if (used.has(name)) continue;
      this.#teller.lost(
        originOf(space, file),
        `it is for all names that begin with "${name}"; our tables have a default only for a whole domain`,
      );
    }
  }

  *#defaultOf(domain: string, { targets, mailbox }: DotQmail, origin: Origin): Generator<Imported> {
    const all: Target[] = mailbox === undefined ? [...targets] : [{ kind: 'file', path: mailbox }, ...targets];
    if (all.length === 0) return;
    yield aliasOf(`*@${domain}`, all, origin);
  }
}

const originOf = ({ home }: NameSpace, file: string): Origin => ({ file: `${home}/${file}` });

function aliasOf(address: string, targets: readonly Target[], origin: Origin): Imported {
  return { kind: 'alias', address, targets, origin };
}

/** A mailbox makes a user; further targets beside it an alias, in which the user's own address stands first. */
function* addressRecords(
  address: string,
  { targets, mailbox }: DotQmail,
  space: NameSpace,
  origin: Origin,
): Generator<Imported> {
  if (mailbox !== undefined) {
    const { home, uid, gid } = space;
    yield { ...plainUser, address, mailbox, home, uid, gid, origin };
  }
  if (targets.length === 0) return;
  yield aliasOf(address, mailbox === undefined ? targets : [keyTarget(address), ...targets], origin);
}

function firstOfBoth(directory: Clean, teller: Teller): Iterable<NameSpace> {
  const text = pathOf(directory, literal('users'), literal('assign'));
  const table = pathOf(directory, literal('users'), literal('cdb'));
  const [ofText, ofTable] = [files.stat(text), files.stat(table)];
  if (ofText === undefined) return ofTable === undefined ? [] : assignmentsOfCdb(table, teller);
  if (ofTable === undefined) teller.remark({ file: text }, 'qmail does not use it: qmail-newu was never run');
  else if (ofText.mtimeMs > ofTable.mtimeMs)
    teller.remark({ file: text }, 'qmail uses an older state of it: it was changed after the last qmail-newu');
  return assignments(text, teller);
}

export function qmail({ directory, aliasHome, accounts: passwd }: QmailRules): ImportSource {
  return function* (teller): Generator<Imported> {
    const controlDirectory = pathOf(directory, literal('control'));
    if (files.stat(controlDirectory) === undefined)
      throw new Unreadable(`${controlDirectory}: there is no such directory`);
    const control = qmailControl(controlDirectory, teller);
    const home = aliasHome ?? pathOf(directory, literal('alias'));
    const owner = files.stat(home);
    const spaces = new NameSpaces({
      name: '',
      exact: false,
      user: 'alias',
      uid: owner?.uid,
      gid: owner?.gid,
      home,
      dash: '-',
      extension: '',
      origin: { file: home },
    });
    const take = (found: Iterable<NameSpace>): void => {
      for (const space of found) {
        if (!spaces.assigned.add(space))
          teller.lost(space.origin, `"${space.name}" is assigned twice; the first counts`);
      }
    };
    take(firstOfBoth(directory, teller));
    // accounts come behind what is assigned, and that they are hidden by it is no loss
    if (passwd !== undefined) for (const space of accounts(passwd, teller)) spaces.accounts.add(space);
    yield* new QmailReader(control, spaces, teller).read();
  };
}
