/**
 * Brings the records of all sources together: the first of two for one address counts, and the second is told. Records
 * wait in a file without a name, so that memory holds only what they are called: about 100 octets for each.
 */

import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import * as files from '../../safe/files.ts';
import { concat, decimal, literal, reviewed } from '../../safe/taint.ts';
import type { Imported, ImportedAlias, ImportSource, Teller } from './record.ts';
import { wholeLines } from './whole-lines.ts';

export interface Gathered {
  readonly counts: { readonly domains: number; readonly aliases: number; readonly users: number };
  /** Domains whose unknown addresses go somewhere. */
  readonly catchAll: ReadonlySet<string>;
  hasAlias(address: string): boolean;
  /** A domain whose mail is delivered here. */
  hasDomain(domain: string): boolean;
  /** All records, as often as it is asked for. */
  records(): Iterable<Imported>;
  /** Gives the file back. */
  close(): void;
}

/** Called from time to time with the number of records read. */
export type Progress = (what: string, count: number) => void;

/** What a record is called, and the number of what it says: equal records need not be told. */
function nameOf(record: Imported): string {
  return record.kind === 'domain' ? `domain ${record.domain}` : `${record.kind} ${record.address}`;
}

function contentOf({ origin: _, ...record }: Imported): number {
  return createHash('sha256').update(JSON.stringify(record), 'latin1').digest().readUIntBE(0, 6);
}

/** A router that leads to files and programs must name the transports for them. */
function tellTransports({ address, targets, origin }: ImportedAlias, teller: Teller): void {
  for (const target of targets) {
    if (target.kind === 'pipe') {
      teller.remark(origin, `${address}: the program is carried over, and needs a pipe_transport: ${target.command}`);
    } else if (target.kind === 'file') {
      const option = target.path.endsWith('/') ? 'directory_transport' : 'file_transport';
      teller.remark(origin, `${address}: the file is carried over, and needs a ${option}: ${target.path}`);
    } else if (target.kind === 'special' && target.word !== 'blackhole') {
      teller.remark(origin, `${address}: ":${target.word}:" needs allow_${target.word} in the router`);
    }
  }
}

let made = 0;

function openUnnamed(): files.Descriptor {
  const directory = reviewed(tmpdir(), "the system's directory for temporary files");
  const path = concat(directory, literal('/tabella-import-'), decimal(process.pid), literal('-'), decimal(++made));
  files.removeIfPossible(path);
  const file = files.open(path, files.createNew, 0o600);
  files.remove(path);
  return file;
}

/** Octets that are written to the file at a time, at least. */
const pieceSize = 256 * 1024;

function* jsonRecords(file: files.Descriptor): Generator<Imported> {
  // the lines were written here, as long as they had to be
  for (const line of wholeLines(file, Number.POSITIVE_INFINITY)) yield JSON.parse(line) as Imported;
}

class Gatherer {
  readonly #file = openUnnamed();
  readonly #teller: Teller;
  readonly #seen = new Map<string, number>();
  readonly #catchAll = new Set<string>();
  readonly #local = new Set<string>();
  readonly #counts = { domain: 0, alias: 0, user: 0 };
  #pending = '';

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  get count(): number {
    return this.#seen.size;
  }

  take(record: Imported): void {
    const name = nameOf(record);
    const content = contentOf(record);
    const before = this.#seen.get(name);
    if (before !== undefined) {
      if (before !== content) this.#teller.lost(record.origin, `${name}: it was defined before; the first counts`);
      return;
    }
    this.#seen.set(name, content);
    this.#counts[record.kind]++;
    if (record.kind === 'domain' && record.use === 'local') this.#local.add(record.domain);
    if (record.kind === 'alias') tellTransports(record, this.#teller);
    if (record.kind === 'alias' && record.address.startsWith('*@')) this.#catchAll.add(record.address.slice(2));
    this.#pending += `${JSON.stringify(record)}\n`;
    if (this.#pending.length > pieceSize) this.#flush();
  }

  #flush(): void {
    files.write(this.#file, this.#pending);
    this.#pending = '';
  }

  finish(): Gathered {
    this.#flush();
    const { domain, alias, user } = this.#counts;
    return {
      counts: { domains: domain, aliases: alias, users: user },
      catchAll: this.#catchAll,
      hasAlias: (address) => this.#seen.has(`alias ${address}`),
      hasDomain: (domain) => this.#local.has(domain),
      records: () => jsonRecords(this.#file),
      close: () => files.close(this.#file),
    };
  }
}

export function gather(sources: readonly ImportSource[], teller: Teller, progress: Progress): Gathered {
  const gatherer = new Gatherer(teller);
  for (const source of sources) {
    for (const record of source(teller)) {
      gatherer.take(record);
      if (gatherer.count % 1000 === 0) progress('read', gatherer.count);
    }
  }
  return gatherer.finish();
}
