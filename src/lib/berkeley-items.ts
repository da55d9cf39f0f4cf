/** The items of Berkeley DB pages, for `berkeley-hash`: where they lie, and those that stand on pages of their own. */

import { type BerkeleyPages, BerkeleyProblem, PageKind } from './berkeley-pages.ts';

/** The first octet of an item of a hash table. */
export const ItemKind = { plain: 1, duplicates: 2, offPage: 3, offPageDuplicates: 4 } as const;

/** The type of an item of a tree of duplicates; a set upper bit says that it was deleted. */
const leafPlain = 1;
const leafOverflow = 3;
const deleted = 0x80;

const longestItem = 64 * 1024 * 1024;
const deepestTree = 32;
const mostLeaves = 10_000;

/** Where an item of a hash page lies. Items are stored from the page's end, each before the one with the lower number. */
export function itemBounds(pages: BerkeleyPages, item: number): { readonly start: number; readonly end: number } {
  const start = pages.itemOffset(item);
  const end = item === 0 ? pages.pageSize : pages.itemOffset(item - 1);
  if (start >= end || end > pages.pageSize || start < pages.headSize + 2 * pages.entries) {
    throw new BerkeleyProblem('an item leads out of its page');
  }
  return { start, end };
}

/** The text of a large item from its chain of pages. */
export function overflowText(pages: BerkeleyPages, first: number, length: number): string {
  if (length > pages.lastPage * pages.pageSize || length > longestItem)
    throw new BerkeleyProblem(`an item has ${length} octets`);
  const text = Buffer.allocUnsafe(length);
  let number = first;
  for (let done = 0, seen = 1; done < length; seen++) {
    if (seen > pages.lastPage) throw new BerkeleyProblem('a large item has no end');
    if (number === 0 || pages.readItemPage(number) !== PageKind.overflow) {
      throw new BerkeleyProblem('a large item breaks off');
    }
    const used = pages.usedLength;
    if (used === 0 || pages.headSize + used > pages.pageSize || done + used > length) {
      throw new BerkeleyProblem('a large item does not fit its length');
    }
    pages.page.copy(text, done, pages.headSize, pages.headSize + used);
    done += used;
    number = pages.nextPage;
  }
  pages.backToBucket();
  return text.toString('latin1');
}

/** The first of the values that stand in a tree of their own, because a key has very many. */
export function firstDuplicate(pages: BerkeleyPages, root: number): string {
  let number = root;
  for (let depth = 0; depth < deepestTree; depth++) {
    const kind = pages.readItemPage(number);
    if (kind === PageKind.innerBtree) number = pages.word(pages.itemOffset(0) + 4, pages.pageSize);
    else if (kind === PageKind.innerRecord) number = pages.word(pages.itemOffset(0), pages.pageSize);
    else return firstOfLeaves(pages, number);
  }
  throw new BerkeleyProblem('a tree of duplicates has no leaves');
}

/** Goes on from the leaf page `number`, until there is a value that was not deleted. */
function firstOfLeaves(pages: BerkeleyPages, number: number): string {
  let leaf = number;
  for (let seen = 0; seen < mostLeaves && leaf !== 0; seen++) {
    const kind = pages.readItemPage(leaf);
    if (kind !== PageKind.leafDuplicates && kind !== PageKind.leafRecord) break;
    for (let item = 0; item < pages.entries; item++) {
      const start = pages.itemOffset(item);
      const type = pages.page[start + 2] ?? 0;
      if ((type & deleted) !== 0) continue;
      if (type === leafOverflow) {
        return overflowText(pages, pages.word(start + 4, pages.pageSize), pages.word(start + 8, pages.pageSize));
      }
      const end = start + 3 + pages.half(start, pages.pageSize);
      if (type !== leafPlain || end > pages.pageSize) throw new BerkeleyProblem('a duplicate leads out of its page');
      return pages.page.toString('latin1', start + 3, end);
    }
    leaf = pages.nextPage;
  }
  throw new BerkeleyProblem('a key has no value');
}
