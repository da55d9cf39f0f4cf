/**
 * The pages of a Berkeley DB file, for `berkeley-hash`: reads one at a time into a common buffer, in the byte order of
 * the file, and checks that it is the page that was asked for. Two buffers serve all tables, as a search is never
 * interrupted: one for the page of a bucket, one for pages that its items lead to.
 */

import * as files from '../safe/files.ts';

/** The file is damaged, or of a kind that is not read; the message goes on after `F: `. */
export class BerkeleyProblem extends Error {}

/** Types of pages as they stand in a page's head. */
export const PageKind = {
  unused: 0,
  unsortedHash: 2,
  innerBtree: 3,
  innerRecord: 4,
  leafBtree: 5,
  leafRecord: 6,
  overflow: 7,
  leafDuplicates: 12,
  sortedHash: 13,
} as const;

const headSize = 26;
/** The head of a page with a checksum, which stands behind two unused octets. */
const checksummedHeadSize = 32;

export interface Geometry {
  /** The most significant octet comes first. */
  readonly swapped: boolean;
  readonly pageSize: number;
  readonly lastPage: number;
  readonly checksummed: boolean;
}

const bucketBuffer = Buffer.alloc(65_536);
const itemBuffer = Buffer.alloc(65_536);

export class BerkeleyPages {
  readonly #file: files.Descriptor;
  readonly #geometry: Geometry;
  readonly headSize: number;
  /** The page that was read last; `word` and its like look into it. */
  page: Buffer = bucketBuffer;

  constructor(file: files.Descriptor, geometry: Geometry) {
    const { pageSize, lastPage } = geometry;
    if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
      throw new BerkeleyProblem(`it has pages of ${pageSize} octets`);
    }
    if (files.statOpen(file).size < (lastPage + 1) * pageSize) throw new BerkeleyProblem('it is truncated');
    this.#file = file;
    this.#geometry = geometry;
    this.headSize = geometry.checksummed ? checksummedHeadSize : headSize;
  }

  get pageSize(): number {
    return this.#geometry.pageSize;
  }

  /** The number of the last page; the first has the number 0. */
  get lastPage(): number {
    return this.#geometry.lastPage;
  }

  /** Reads a page of a bucket and answers its type. A page that was set aside and never used is empty. */
  readBucket(number: number): number {
    this.#read(number, bucketBuffer);
    const kind = this.#kind;
    if (kind === PageKind.unused && this.word(8, headSize) === 0) return kind;
    this.#verify(number);
    if (kind !== PageKind.sortedHash && kind !== PageKind.unsortedHash) {
      throw new BerkeleyProblem(`page ${number} is no page of a hash table`);
    }
    if (this.entries % 2 !== 0) throw new BerkeleyProblem(`page ${number} has a key without a value`);
    return kind;
  }

  /** Reads a page that an item of a bucket leads to and answers its type. */
  readItemPage(number: number): number {
    this.#read(number, itemBuffer);
    this.#verify(number);
    return this.#kind;
  }

  /** Looks into the bucket's page again. */
  backToBucket(): void {
    this.page = bucketBuffer;
  }

  #read(number: number, buffer: Buffer): void {
    const { pageSize, lastPage } = this.#geometry;
    this.page = buffer;
    if (number > lastPage) throw new BerkeleyProblem(`page ${number} is behind the last page`);
    if (files.readAt(this.#file, buffer, number * pageSize, pageSize) < pageSize) {
      throw new BerkeleyProblem('it is truncated');
    }
  }

  #verify(number: number): void {
    const found = this.word(8, headSize);
    if (found !== number) throw new BerkeleyProblem(`page ${number} says that it is page ${found}`);
    if (this.#kind !== PageKind.overflow && this.headSize + 2 * this.entries > this.pageSize) {
      throw new BerkeleyProblem(`page ${number} has too many items`);
    }
  }

  get #kind(): number {
    return this.page[25] ?? 0;
  }

  /** The next page of a chain, 0 at its end. */
  get nextPage(): number {
    return this.word(16, headSize);
  }

  /** The number of items on the page. */
  get entries(): number {
    return this.half(20, headSize);
  }

  /** The octets in use on an overflow page. */
  get usedLength(): number {
    return this.half(22, headSize);
  }

  /** Where the page says that an item begins. */
  itemOffset(item: number): number {
    return this.half(this.headSize + 2 * item, this.pageSize);
  }

  /** The number of 16 bits at `at`, which must end before `end`. */
  half(at: number, end: number): number {
    if (at + 2 > end) throw new BerkeleyProblem('an item is too short');
    return this.#geometry.swapped ? this.page.readUInt16BE(at) : this.page.readUInt16LE(at);
  }

  /** The number of 32 bits at `at`, which must end before `end`. */
  word(at: number, end: number): number {
    if (at + 4 > end) throw new BerkeleyProblem('an item is too short');
    return this.#geometry.swapped ? this.page.readUInt32BE(at) : this.page.readUInt32LE(at);
  }

  close(): void {
    files.close(this.#file);
  }
}
