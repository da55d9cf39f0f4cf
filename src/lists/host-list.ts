/**
 * Host lists (Exim spec 10.10 - 10.19). A host is known by its address; its name is looked up when an item needs it. Only
 * a lookup tells what it found (`$host_data`).
 */

import type { Context } from '../expand/context.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { lower } from '../lib/octets.ts';
import { formatIp, groups, isInNetwork, maskIp, parseIp, parseNetwork } from '../net/address.ts';
import type { Text } from '../safe/taint.ts';
import { type ItemAnswer, type ItemTest, type KindOfList, namedListTest, type Subject } from './list.ts';
import { type LookupParts, lookUp, lookupParts, matchRegex, noMatch, withoutValue } from './pattern.ts';

/** The names of the host the subject stands for; none when there are none, or they cannot be told now. */
function namesOf(subject: Subject, context: Context): Eventual<readonly string[]> {
  if (subject.hostName !== undefined) return [subject.hostName];
  const { connection } = context;
  if (connection === undefined || connection.hostAddress !== subject.text) return [];
  return then(context.services.findHostName(context), () =>
    connection.hostName === '' ? [] : [connection.hostName, ...connection.hostAliases],
  );
}

/** Tests the names of the host, one after the other. */
function nameTest(test: (name: string, context: Context) => Eventual<ItemAnswer>): ItemTest {
  return (subject, context) => {
    if (subject.text === '') return noMatch;
    return then(namesOf(subject, context), (names) => {
      if (names.length === 0) return { outcome: 'unknown', message: `failed to find host name for ${subject.text}` };
      const tryFrom = (index: number): Eventual<ItemAnswer> => {
        const name = names[index];
        if (name === undefined) return noMatch;
        return then(test(lower(name), context), (answer) =>
          answer.outcome === 'no match' ? tryFrom(index + 1) : answer,
        );
      };
      return tryFrom(0);
    });
  };
}

/** The key of a lookup by address: IPv6 in full with dots, or with colons for iplsearch; a mask behind a slash. */
function addressKey(address: string, bits: number | undefined, type: string): string {
  const octets = parseIp(address);
  if (octets === undefined) return address;
  const masked = bits === undefined ? octets : maskIp(octets, bits);
  const text =
    masked.length === 4
      ? formatIp(masked)
      : groups(masked)
          .map((group) => group.toString(16).padStart(4, '0'))
          .join(type.startsWith('iplsearch') ? ':' : '.');
  return bits === undefined ? text : `${text}/${bits}`;
}

/** A lookup that captures nothing unless it was partial. */
const keyed = (parts: LookupParts, key: string, context: Context): Eventual<ItemAnswer> =>
  then(lookUp(parts, key, context), (answer) =>
    answer.outcome === 'match' && answer.numeric?.length === 1 ? { ...answer, numeric: undefined } : answer,
  );

/** `net-dbm;file`, `net24-dbm;file`. */
function addressLookup(item: Text): ItemTest | undefined {
  const parts = lookupParts(item);
  const net = parts && /^net(\d*)-(.*)$/.exec(parts.type);
  if (parts === undefined || net === null || net === undefined) return undefined;
  const [, digits = '', type = ''] = net;
  return ({ text }, context) =>
    keyed({ ...parts, type }, addressKey(text, digits === '' ? undefined : Number(digits), type), context);
}

/** A host by its name: any of the addresses that the name has. */
function namedHost(name: string): ItemTest {
  return ({ text }, context) => {
    if (text === '') return noMatch;
    return then(context.services.hostAddresses(name, context), (found): ItemAnswer => {
      if (found.outcome === 'defer') return { outcome: 'defer', message: found.message, ofName: true };
      if (found.outcome === 'unknown') return { outcome: 'unknown', message: `failed to find IP address for ${name}` };
      return found.addresses.includes(text) ? { outcome: 'match' } : noMatch;
    });
  };
}

/** Items that look at the address alone; what `match_ip` allows, too. */
function addressTest(item: Text): ItemTest | undefined {
  const { value } = item;
  if (value === '') return ({ text }) => (text === '' ? { outcome: 'match' } : noMatch);
  if (value === '*') return () => ({ outcome: 'match' });
  if (value === '@[]') {
    return ({ text }, { services }) => (services.localAddresses().includes(text) ? { outcome: 'match' } : noMatch);
  }
  const network = parseNetwork(value);
  if (network === undefined) return addressLookup(item);
  return ({ text }) => {
    const octets = parseIp(text);
    return octets !== undefined && isInNetwork(octets, network) ? { outcome: 'match' } : noMatch;
  };
}

/** What looks like an IPv4 address or network, and is none. */
const malformed = /^[0-9.]+(?:\/[0-9.]*)?$/;

const badAddress: ItemAnswer = { outcome: 'unknown', message: 'malformed IPv4 address or address mask' };

const controls = new Set(['+include_unknown', '+ignore_unknown', '+include_defer', '+ignore_defer']);

export const hostKind: KindOfList = {
  kind: 'host',
  fileComment: /#.*$/,
  controls,
  compile(item) {
    const { value } = item;
    if (value.startsWith('+')) return namedListTest(hostKind, value.slice(1));
    const byAddress = addressTest(item);
    if (byAddress !== undefined) return byAddress;
    if (malformed.test(value)) return ({ text }) => (text === '' ? noMatch : badAddress);
    if (value === '@') return (subject, context) => namedHost(context.settings.primaryHostname)(subject, context);
    if (value.startsWith('^')) return nameTest((name) => withoutValue(matchRegex(item, name, true)));
    if (value.startsWith('*')) {
      const suffix = lower(value.slice(1));
      return nameTest((name) => (name.endsWith(suffix) ? { outcome: 'match' } : noMatch));
    }
    const lookup = lookupParts(item);
    if (lookup === undefined) return namedHost(value);
    return (subject, context) => {
      const style = context.services.lookupStyle(lookup.type);
      if ('error' in style) return { outcome: 'defer', message: style.error };
      if (style.style === 'query') return lookUp(lookup, '', context);
      return nameTest((name) => lookUp(lookup, name, context))(subject, context);
    };
  },
};

/**
 * `match_ip`: as a host list, but a single-key lookup is by address without saying so, and no name is ever found.
 */
export const ipKind: KindOfList = {
  kind: 'host',
  fileComment: /#.*$/,
  controls,
  unkept: true,
  compile(item) {
    if (item.value.startsWith('+')) return namedListTest(ipKind, item.value.slice(1));
    const byAddress = addressTest(item);
    if (byAddress !== undefined) return byAddress;
    const other = lookupParts(item);
    if (other !== undefined)
      return ({ text }, context) => keyed(other, addressKey(text, undefined, other.type), context);
    const unknown: ItemAnswer = { outcome: 'unknown', message: `no name is looked for: ${item.value}` };
    return ({ text }) => (text === '' ? noMatch : unknown);
  },
};
