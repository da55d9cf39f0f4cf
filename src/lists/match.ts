/** The door to list matching: a subject against the text of a list. */

import type { Context, ListAnswer, ListKind } from '../expand/context.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { lower } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import type { Text } from '../safe/taint.ts';
import { addressKind } from './address-list.ts';
import { domainKind, localPartKind } from './domain-list.ts';
import { hostKind, ipKind } from './host-list.ts';
import { compileList, type KindOfList, matchItems, type Subject } from './list.ts';

const kinds: Readonly<Record<ListKind, KindOfList>> = {
  domain: domainKind,
  host: hostKind,
  address: addressKind,
  localpart: localPartKind,
};

function subjectOf(kind: ListKind, value: string, caseful: boolean): Subject {
  switch (kind) {
    case 'domain': {
      return { text: lower(value), original: value, caseful: false };
    }
    case 'host':
      return { text: value, original: value, caseful: false };
    case 'localpart':
      return { text: caseful ? value : lower(value), original: value, caseful };
    case 'address': {
      const { localPart, domain } = splitAddress(value);
      const lowered = lower(domain);
      const original = value.includes('@') ? `${localPart}@${lowered}` : value;
      return { text: lower(original), original, caseful };
    }
  }
}

export interface MatchOptions {
  readonly caseful?: boolean;
  readonly hostName?: string | undefined;
  /** Address lists tell what their patterns captured to rewriting rules alone. */
  readonly forRewriting?: boolean;
  /** The value is a text that is not an address yet. */
  readonly isText?: boolean;
}

/** Whether `value` is in the list. Hosts are given by their IP address, empty for a local process. */
export function matchList(
  kind: ListKind,
  value: string,
  list: Text,
  context: Context,
  { caseful = false, hostName, forRewriting = false, isText = false }: MatchOptions = {},
): Eventual<ListAnswer> {
  const subject = { ...subjectOf(kind, value, caseful), hostName, isText };
  const answer = matchItems(compileList(kinds[kind], list), subject, context);
  if (kind !== 'address' || forRewriting) return answer;
  return then(answer, (found) => (found.outcome === 'match' ? { ...found, numeric: undefined } : found));
}

/** `match_ip`: an address, or none, against a list in which no name is ever looked for. */
export function matchIp(address: string, list: Text, context: Context): Eventual<ListAnswer> {
  const items = compileList(ipKind, list);
  return matchItems(items, { text: address, original: address, caseful: false }, context);
}
