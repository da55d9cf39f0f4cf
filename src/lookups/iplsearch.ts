/**
 * `iplsearch`: a text file whose keys are IP addresses and networks (Exim spec 9.3). The first entry whose network holds
 * the address counts. Keys that are neither never match, but `*` is found by a search for just that (the default of
 * `iplsearch*`). The networks are kept as numbers, 13 octets for an IPv4 and 25 for an IPv6 network.
 */

import { then } from '../lib/eventual.ts';
import { parseIp, parseNetwork, withoutMapping } from '../net/address.ts';
import { defineLookup, notFound } from './lookup.ts';
import { answerOf, type LsearchFile, openLsearch } from './lsearch-file.ts';
import { keyOfLine } from './lsearch-text.ts';
import { NetworkPlaces } from './network-places.ts';

interface Networks {
  readonly file: LsearchFile;
  /** By the number of octets of an address. */
  readonly families: ReadonlyMap<number, NetworkPlaces>;
  readonly standard: number | undefined;
}

export const iplsearch = defineLookup({
  name: 'iplsearch',
  doc: 'a text file whose keys are IP addresses and networks',
  style: 'single-key',
  purpose: 'for linear search',
  options: ['ret'],
  vouches: true,
  open: (name) =>
    openLsearch<Networks>(name, {
      prepare(file) {
        const families = new Map([
          [4, new NetworkPlaces(4)],
          [16, new NetworkPlaces(16)],
        ]);
        let standard: number | undefined;
        const found = file.findEntries((piece, start, end, place) => {
          const key = keyOfLine(piece, start, end);
          if (key === '*') standard ??= place;
          const network = parseNetwork(key);
          if (network !== undefined) families.get(network.octets.length)?.add(network, place);
        });
        return then(found, () => ({ file, families, standard }));
      },
      search({ file, families, standard }, key, options) {
        const address = parseIp(withoutMapping(key));
        if (address === undefined && key !== '*') {
          const wanted = 'an IP address, with optional CIDR mask, is wanted';
          const advice = 'in a host list, use net-iplsearch as the search type';
          return { outcome: 'defer', message: `"${key}" is not a valid iplsearch key (${wanted}): ${advice}` };
        }
        const place = address === undefined ? standard : families.get(address.length)?.find(address);
        return place === undefined ? notFound : answerOf(file.entryAt(place), options);
      },
    }),
});
