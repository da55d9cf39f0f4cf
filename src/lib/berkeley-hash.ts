/**
 * Reads hash tables of Berkeley DB (hash versions 8 to 10), the format of DBM files made by the original
 * exim_dbmbuild. For the `dbm` lookups; nothing is ever written. Files of either byte order, all page sizes, sorted
 * and unsorted pages, large items and duplicate keys (the first one counts) are understood.
 *
 * No page is kept: the system's page cache holds them, and one read of a page costs less than a cache here would save.
 * Every number found in a file is checked before it is used, and every chain of pages has an end, so a damaged file
 * gives a BerkeleyProblem and nothing worse. Checksums are not verified.
 */

import * as files from '../safe/files.ts';
import { firstDuplicate, ItemKind, itemBounds, overflowText } from './berkeley-items.ts';
import { BerkeleyPages, BerkeleyProblem, PageKind } from './berkeley-pages.ts';

const hashMagic = 0x061561;
const otherMagics: ReadonlyMap<number, string> = new Map([
  [0x053162, 'a btree'],
  [0x042253, 'a queue'],
  [0x074582, 'a heap'],
]);

const metadataSize = 512;
const oldestVersion = 8;
const newestVersion = 10;
/** Pages of one bucket; far more than any table has unless its hash function failed. */
const longestChain = 10_000;

/** What the library computes the hash of to tell whether a table was made with its own hash function. */
const hashProbe = Buffer.from('%$sniglet^&\0', 'latin1');

/** FNV-1 that starts at 0, the library's own hash function. */
function hashOf(key: Uint8Array): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash, 0x01000193) ^ (key[i] ?? 0);
  return hash >>> 0;
}

/** The byte order in which `magic` is one of the library's numbers. */
function orderOf(start: Buffer): { readonly swapped: boolean; readonly magic: number } | undefined {
  for (const swapped of [false, true]) {
    const magic = swapped ? start.readUInt32BE(12) : start.readUInt32LE(12);
    if (magic === hashMagic || otherMagics.has(magic)) return { swapped, magic };
  }
  return undefined;
}

/** Whether a file that begins like this was made by Berkeley DB, as a table of any kind; 16 octets are enough. */
export function isBerkeley(start: Buffer): boolean {
  return orderOf(start) !== undefined;
}

/** A Berkeley DB hash table that is open for reading. */
export class BerkeleyHash {
  readonly #pages: BerkeleyPages;
  readonly #maxBucket: number;
  readonly #highMask: number;
  readonly #lowMask: number;
  /** How far the page of a bucket lies behind the bucket's number, for each doubling of the table. */
  readonly #spares: readonly number[];

  /** Reads the metadata; throws BerkeleyProblem or the system's error, and leaves the file open. */
  constructor(file: files.Descriptor) {
    const start = Buffer.alloc(metadataSize);
    if (files.readAt(file, start, 0) < metadataSize) throw new BerkeleyProblem('it is too short');
    const order = orderOf(start);
    if (order === undefined) throw new BerkeleyProblem('it is no Berkeley DB file');
    const other = otherMagics.get(order.magic);
    if (other !== undefined) throw new BerkeleyProblem(`it is ${other}, and only hash tables are read`);
    const word = (at: number): number => (order.swapped ? start.readUInt32BE(at) : start.readUInt32LE(at));
    const version = word(16);
    if (version < oldestVersion || version > newestVersion) {
      throw new BerkeleyProblem(`hash version ${version} is not supported (${oldestVersion} to ${newestVersion} are)`);
    }
    if (start[24] !== 0) throw new BerkeleyProblem('it is encrypted');
    if (word(36) !== 0) throw new BerkeleyProblem('it is partitioned');
    if (word(92) !== hashOf(hashProbe)) throw new BerkeleyProblem('it was made with a hash function of its own');
    this.#pages = new BerkeleyPages(file, {
      swapped: order.swapped,
      pageSize: word(20),
      lastPage: word(32),
      checksummed: ((start[26] ?? 0) & 1) !== 0,
    });
    this.#maxBucket = word(72);
    this.#highMask = word(76);
    this.#lowMask = word(80);
    this.#spares = Array.from({ length: 32 }, (_, doubling) => word(96 + 4 * doubling));
    const masksFit = this.#highMask === this.#lowMask * 2 + 1 && ((this.#lowMask + 1) & this.#lowMask) === 0;
    if (!masksFit || this.#maxBucket > this.#highMask) throw new BerkeleyProblem('its metadata is damaged');
  }

  /** The value of a key, the first one if it has several. Throws BerkeleyProblem when the file is damaged. */
  find(key: Uint8Array): string | undefined {
    let bucket = (hashOf(key) & this.#highMask) >>> 0;
    if (bucket > this.#maxBucket) bucket &= this.#lowMask;
    let page = bucket + (this.#spares[32 - Math.clz32(bucket)] ?? 0);
    for (let seen = 0; seen < longestChain; seen++) {
      const kind = this.#pages.readBucket(page);
      if (kind === PageKind.unused) return undefined;
      const item = kind === PageKind.sortedHash ? this.#searchSorted(key) : this.#searchAll(key);
      if (item !== undefined) return this.#value(item + 1);
      page = this.#pages.nextPage;
      if (page === 0) return undefined;
    }
    throw new BerkeleyProblem('a chain of pages has no end');
  }

  /**
   * Searches the page by halves. Where the order of the file does not tell which way to go on, all keys are looked at:
   * at a large key, which stands elsewhere, and at one that only continues the other (the library puts the longer first).
   */
  #searchSorted(key: Uint8Array): number | undefined {
    const { page } = this.#pages;
    let low = 0;
    let high = this.#pages.entries / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { start, end } = itemBounds(this.#pages, 2 * middle);
      if (page[start] !== ItemKind.plain) return this.#searchAll(key);
      const length = end - start - 1;
      const common = Math.min(length, key.length);
      const order = page.compare(key, 0, common, start + 1, start + 1 + common);
      if (order === 0) return length === key.length ? 2 * middle : this.#searchAll(key);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  #searchAll(key: Uint8Array): number | undefined {
    const { page, entries } = this.#pages;
    for (let item = 0; item < entries; item += 2) {
      const { start, end } = itemBounds(this.#pages, item);
      if (page[start] === ItemKind.plain) {
        if (end - start - 1 === key.length && page.compare(key, 0, key.length, start + 1, end) === 0) return item;
      } else if (page[start] === ItemKind.offPage) {
        const length = this.#pages.word(start + 8, end);
        if (length !== key.length) continue;
        const text = overflowText(this.#pages, this.#pages.word(start + 4, end), length);
        if (Buffer.from(text, 'latin1').equals(key)) return item;
      } else {
        throw new BerkeleyProblem('a page holds a key of an unknown kind');
      }
    }
    return undefined;
  }

  #value(item: number): string {
    const pages = this.#pages;
    const { start, end } = itemBounds(pages, item);
    switch (pages.page[start]) {
      case ItemKind.plain:
        return pages.page.toString('latin1', start + 1, end);
      case ItemKind.duplicates: {
        const length = pages.half(start + 1, end);
        if (start + 3 + length > end) throw new BerkeleyProblem('a duplicate leads out of its page');
        return pages.page.toString('latin1', start + 3, start + 3 + length);
      }
      case ItemKind.offPage:
        return overflowText(pages, pages.word(start + 4, end), pages.word(start + 8, end));
      case ItemKind.offPageDuplicates:
        return firstDuplicate(pages, pages.word(start + 4, end));
      default:
        throw new BerkeleyProblem('a page holds a value of an unknown kind');
    }
  }

  close(): void {
    this.#pages.close();
  }
}
