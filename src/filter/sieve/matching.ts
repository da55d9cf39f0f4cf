/** How tests match strings: the tags in front of the strings, and what they come to (RFC 5228 §2.7; RFC 5233). */

import { lower } from '../../lib/octets.ts';
import { splitAddress } from '../../mail/address.ts';
import {
  asciiCasemap,
  type Comparator,
  comparators,
  compare,
  InvalidPattern,
  type MatchType,
  matchTypes,
  NoSubstrings,
} from './comparison.ts';
import type { SieveState } from './state.ts';

export type AddressPart = 'all' | 'localpart' | 'domain' | 'user' | 'detail';
const addressParts: readonly AddressPart[] = ['all', 'localpart', 'domain', 'user', 'detail'];
const subaddressParts: ReadonlySet<AddressPart> = new Set(['user', 'detail']);

/** How to match, from the tags in front of the strings. */
export interface Matching {
  type: MatchType;
  comparator: Comparator;
  part: AddressPart;
}

/** @throws SieveMistake */
export function readMatching(state: SieveState, withPart: boolean): Matching {
  const { reader } = state;
  const given: Partial<Matching> = {};
  for (;;) {
    reader.skip();
    const part = withPart ? reader.takeTag(addressParts) : undefined;
    if (part !== undefined) {
      if (subaddressParts.has(part)) state.require('subaddress');
      if (given.part !== undefined) throw reader.mistake('address part already specified');
      given.part = part;
    } else if (reader.takeTag(['comparator']) !== undefined) {
      if (given.comparator !== undefined) throw reader.mistake('comparator already specified');
      given.comparator = readComparator(state);
    } else {
      const type = reader.takeTag(matchTypes);
      if (type === undefined) return { type: 'is', comparator: asciiCasemap, part: 'all', ...given };
      if (given.type !== undefined) throw reader.mistake('match type already specified');
      given.type = type;
    }
  }
}

function readComparator(state: SieveState): Comparator {
  const name = state.reader.requiredString('missing comparator');
  const comparator = comparators.get(lower(name));
  if (comparator === undefined) throw state.reader.mistake('invalid comparator');
  return comparator;
}

/** Whether one of the keys is found in the text. @throws SieveMistake */
export function matchesAny(
  state: SieveState,
  { type, comparator }: Matching,
  keys: readonly string[],
  text: string,
): boolean {
  return keys.some((key) => {
    const shown = (value: string): string => `${value.replace(/\0.*$/s, '')} (${value.length} chars)`;
    if (state.isExplained) {
      state.explain(`String comparison (match :${type}, comparison "${comparator.name}"):`);
      state.explain(`  Search = ${shown(key)}\n  Inside = ${shown(text)}`);
    }
    if (comparator.capability !== undefined) state.require(comparator.capability);
    try {
      const found = compare(type, comparator, key, text, (steps) => state.spend(steps));
      state.explain(`  Result ${found}`);
      return found;
    } catch (error) {
      if (error instanceof InvalidPattern) throw state.reader.mistake('syntactically invalid pattern');
      if (error instanceof NoSubstrings) throw state.reader.mistake('comparator does not offer specified matchtype');
      throw error;
    }
  });
}

/** The part of an address, or nothing when it has no such part. */
export function partOf(part: AddressPart, address: string): string | undefined {
  switch (part) {
    case 'all':
      return address;
    case 'domain':
      return splitAddress(address).domain;
    case 'localpart':
    case 'user':
      return splitAddress(address).localPart;
    case 'detail':
      return undefined;
  }
}
