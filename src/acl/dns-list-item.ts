/** Reads an item of `dnslists`: `text domain,domain=values/keys` (Exim spec 44.27 - 44.36). */

import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import { type IpOctets, parseIp, reverseLabels } from '../net/address.ts';

/** Which addresses count, when not all do. */
export interface DnsListFilter {
  /** Whether the values are masks, all of whose bits must be there. */
  readonly masks: boolean;
  /** Whether every address that was found must match, not only one. */
  readonly every: boolean;
  readonly negated: boolean;
  readonly values: readonly IpOctets[];
}

export interface DnsListItem {
  /** Where the text comes from; `$dnslist_domain`. */
  readonly textDomain: string;
  /** The list that is asked first; the same when only one is named. */
  readonly domain: string;
  readonly filter: DnsListFilter | undefined;
  /** What is looked up; nothing for the address of the client. */
  readonly keys: readonly string[] | undefined;
}

/** What is no IP address among the values never matches, as in the real program. */
function filterOf(operator: string, negated: boolean, values: string): DnsListFilter {
  return {
    masks: operator.endsWith('&'),
    every: operator.length === 2,
    negated,
    values: values.split(',').flatMap((value) => {
      const octets = parseIp(trim(value));
      return octets?.length === 4 ? [octets] : [];
    }),
  };
}

export function parseDnsListItem(text: string): DnsListItem {
  const slash = text.indexOf('/');
  const front = slash < 0 ? text : text.slice(0, slash);
  const keys = slash < 0 ? undefined : splitList(text.slice(slash + 1)).items;
  const [, names = front, mark = '', operator, values = ''] = /^([^=&]*?)(!?)(==|=&|=|&)(.*)$/s.exec(front) ?? [];
  const filter = operator === undefined ? undefined : filterOf(operator, mark !== '', values);
  const comma = names.indexOf(',');
  const textDomain = comma < 0 ? names : names.slice(0, comma);
  const domain = comma < 0 ? names : names.slice(comma + 1);
  return { textDomain, domain, filter, keys };
}

/** The name that is looked up: an address has its parts reversed, another key stands as it is. */
export function dnsListName(key: string, domain: string): string {
  const octets = parseIp(key);
  return `${octets === undefined ? key : reverseLabels(octets)}.${domain}`;
}

function matchesOne(address: IpOctets, { masks, values }: DnsListFilter): boolean {
  return values.some((value) => value.every((octet, i) => (masks ? (address[i] ?? 0) & octet : address[i]) === octet));
}

/** Whether the addresses of a list are those that the item asks for. */
export function passesFilter(addresses: readonly IpOctets[], filter: DnsListFilter): boolean {
  const matches = filter.every
    ? addresses.every((address) => matchesOne(address, filter))
    : addresses.some((address) => matchesOne(address, filter));
  return matches !== filter.negated;
}
