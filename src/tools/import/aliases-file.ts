/**
 * /etc/aliases as sendmail, Postfix and Exim read it: `name: item, item`, lines that go on in the next (with a blank in
 * front, or a backslash at the end), quotes, comments, programs, files and `:include:`. Included lists are written out,
 * so that the new table holds all addresses.
 */

import { lower, trim } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import type { Clean } from '../../safe/taint.ts';
import { type InputLine, inputFile, inputLines, openInput } from './input-lines.ts';
import { type Imported, type ImportSource, type Origin, type Target, type Teller, Unreadable } from './record.ts';
import { keyTarget, mostTargets, readTarget, splitTargets } from './targets.ts';

/** Octets of one entry, with all its continuation lines. */
const longestEntry = 1024 * 1024;
const deepest = 20;
/** Files that one entry includes. */
const mostIncludes = 1000;

export interface AliasesRules {
  /** The domain of names that have none. */
  readonly domain: string;
  /** Further domains in which the names are valid. */
  readonly otherDomains: readonly string[];
}

/** Physical lines joined to entries. */
function* entriesOf(path: Clean, teller: Teller): Generator<InputLine> {
  let current: InputLine | undefined;
  let joins = false;
  for (const { text, line } of inputLines(path, teller)) {
    const goesOn = joins || /^[ \t]/.test(text);
    const more = text.endsWith('\\');
    const own = more ? text.slice(0, -1) : text;
    joins = false;
    if (trim(own) === '' || (!goesOn && own.startsWith('#'))) continue;
    if (goesOn && /^[ \t]*#/.test(own)) continue;
    joins = more;
    if (!goesOn) {
      if (current !== undefined) yield current;
      current = { text: own, line };
    } else if (current === undefined) {
      teller.lost({ file: path, line }, 'the line continues none');
    } else if (current.text.length + own.length > longestEntry) {
      teller.lost({ file: path, line }, `the entry of line ${current.line} is longer than ${longestEntry} octets`);
    } else {
      current = { text: `${current.text} ${trim(own)}`, line: current.line };
    }
  }
  if (current !== undefined) yield current;
}

/** The name in front of the colon, which may be quoted, and what stands behind. */
function nameOf(text: string): { readonly name: string; readonly rest: string } | undefined {
  const [, quoted, bare, rest = ''] = /^[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t:"]+))[ \t]*:(.*)$/s.exec(text) ?? [];
  const name = quoted?.replace(/\\(.)/gs, '$1') ?? bare;
  return name === undefined || name === '' ? undefined : { name, rest };
}

/** Reads lists, and the files they include. */
export class TargetLists {
  readonly #teller: Teller;
  readonly #domain: string | undefined;
  readonly #owner: number;
  readonly #open: string[] = [];
  #included = 0;

  /** `owner` is the user whose lists may name programs and files, as those of root may. */
  constructor(teller: Teller, domain: string | undefined, owner: number) {
    this.#teller = teller;
    this.#domain = domain;
    this.#owner = owner;
  }

  /** The targets of a list; what is none of them is told. */
  read(text: string, origin: Origin, into: Target[], trusted = true): void {
    for (const item of splitTargets(text)) {
      const target = readTarget(item, this.#domain);
      if ('error' in target) this.#teller.lost(origin, target.error);
      else if ('include' in target) this.#include(target.include, origin, into);
      else if (!trusted && (target.kind === 'pipe' || target.kind === 'file')) {
        this.#teller.lost(
          origin,
          `"${item}": programs and files are taken only from lists of root or of the owner of the aliases`,
        );
      } else if (into.length < mostTargets) into.push(target);
      else {
        this.#teller.lost(origin, `more than ${mostTargets} targets`);
        return;
      }
    }
  }

  /** Why a file is not included; nothing when it may be. */
  #fault(name: string): string | undefined {
    if (!name.startsWith('/')) return 'it is not an absolute path';
    if (this.#open.includes(name)) return 'it includes itself';
    if (this.#open.length >= deepest) return `includes are nested more than ${deepest} deep`;
    return ++this.#included > mostIncludes ? `more than ${mostIncludes} included files` : undefined;
  }

  #include(name: string, origin: Origin, into: Target[]): void {
    let fault = this.#fault(name);
    if (fault === undefined) {
      this.#open.push(name);
      try {
        this.#readFile(inputFile(name), into);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        fault = error.message;
      } finally {
        this.#open.pop();
      }
    }
    if (fault !== undefined) this.#teller.lost(origin, `:include:${name}: ${fault}`);
  }

  #readFile(path: Clean, into: Target[]): void {
    const file = openInput(path);
    const { uid } = files.statOpen(file);
    files.close(file);
    const trusted = uid === 0 || uid === this.#owner;
    for (const { text, line } of inputLines(path, this.#teller)) {
      if (/^[ \t]*(?:#|$)/.test(text)) continue;
      this.read(text, { file: path, line }, into, trusted);
      if (into.length >= mostTargets) break;
    }
  }
}

/** The aliases of a file. */
export function aliasesFile(path: Clean, { domain, otherDomains }: AliasesRules): ImportSource {
  return function* (teller): Generator<Imported> {
    const owner = files.stat(path)?.uid ?? 0;
    for (const { text, line } of entriesOf(path, teller)) {
      const origin: Origin = { file: path, line };
      const named = nameOf(text);
      if (named === undefined) {
        teller.lost(origin, 'the line has no name and colon in front');
        continue;
      }
      const targets: Target[] = [];
      new TargetLists(teller, domain, owner).read(named.rest, origin, targets);
      const at = named.name.lastIndexOf('@');
      const name = lower(named.name);
      if (targets.length === 0) {
        teller.lost(origin, `nothing is left of where mail for ${named.name} goes`);
        continue;
      }
      if (at >= 0) {
        yield { kind: 'alias', address: name, targets, origin };
        continue;
      }
      yield { kind: 'alias', address: `${name}@${domain}`, targets, origin };
      for (const other of otherDomains) {
        yield { kind: 'alias', address: `${name}@${other}`, targets: [keyTarget(`${name}@${domain}`)], origin };
      }
    }
  };
}
