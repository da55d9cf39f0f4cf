/**
 * `lsearch`: a text file of keys and data, searched for a key without regard to case; the first entry with the key
 * counts (Exim spec 9.3). The file is gone through once and not for each search: after that an index of about 20 octets
 * for each key tells where the entry stands.
 */

import { then } from '../lib/eventual.ts';
import { HashIndex } from '../lib/hash-index.ts';
import { lower } from '../lib/octets.ts';
import { defineLookup, notFound } from './lookup.ts';
import { answerOf, type LsearchFile, openLsearch } from './lsearch-file.ts';
import { type Entry, hashKey, hashKeyOfLine, keyOfLine } from './lsearch-text.ts';

interface Indexed {
  readonly file: LsearchFile;
  readonly index: HashIndex;
}

export const lsearch = defineLookup({
  name: 'lsearch',
  doc: 'a text file of keys and data, searched without regard to case',
  style: 'single-key',
  purpose: 'for linear search',
  options: ['ret'],
  vouches: true,
  open: (name) =>
    openLsearch<Indexed>(name, {
      prepare(file) {
        const index = new HashIndex();
        const found = file.findEntries((piece, start, end, place) => {
          const hash = hashKeyOfLine(piece, start, end);
          const earlier = index.find(hash, (other) => lower(file.keyAt(other)) === lower(keyOfLine(piece, start, end)));
          if (earlier === undefined) index.add(hash, place);
        });
        return then(found, () => ({ file, index }));
      },
      search({ file, index }, key, options) {
        const wanted = lower(key);
        let entry: Entry | undefined;
        const number = index.find(hashKey(key), (place) => {
          entry = file.entryAt(place);
          return lower(entry.key) === wanted;
        });
        return number === undefined || entry === undefined ? notFound : answerOf(entry, options);
      },
    }),
});
