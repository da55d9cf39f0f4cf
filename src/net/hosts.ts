/**
 * Hosts and their addresses, by the DNS client and by the system's own resolver (/etc/hosts and the like). For routers,
 * transports, host lists and ACLs. `unknown` means that there is none; `defer`, that it cannot be told now.
 *
 * The system's resolver waits in one of libuv's few threads, which files need, too, and cannot be abandoned there; what
 * the DNS can answer is better asked there.
 */

import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { errorCode, errorText } from '../lib/errno.ts';
import { lower } from '../lib/octets.ts';
import { formatIp, parseIp } from './address.ts';
import type { ResolveOptions, Resolver } from './dns.ts';
import { nameOctets } from './dns-wire.ts';

/** Why there is no answer; the message is for logs. */
export interface NoHost {
  readonly outcome: 'unknown' | 'defer';
  readonly message: string;
}

export interface HostAddressesFound {
  readonly outcome: 'found';
  /** IPv6 before IPv4; within each, in random order. Never empty. */
  readonly addresses: readonly string[];
  /** The full name, as `MailExchangersFound.domain`. */
  readonly domain: string;
  /** The owner of the address records: the end of the aliases. */
  readonly canonicalName: string;
  /** All records were verified by DNSSEC. */
  readonly secure: boolean;
}

export interface MailExchangersFound {
  readonly outcome: 'found';
  /** In ascending order of preference; those of equal preference in random order. Each name once. */
  readonly hosts: readonly { readonly name: string; readonly preference: number; readonly port?: number }[];
  /**
   * The full name of the domain, after search domains. As in Exim, when two or more aliases led to the records, it is
   * the last of them.
   */
  readonly domain: string;
  readonly secure: boolean;
  /** Seconds. */
  readonly ttl: number;
}

export type MailExchangers =
  | MailExchangersFound
  /** The domain says that it takes no mail (RFC 7505). */
  | { readonly outcome: 'refuses'; readonly secure: boolean }
  /** Without an MX record, mail goes to the domain's own addresses (RFC 5321 §5.1) if it `exists`. */
  | { readonly outcome: 'unknown'; readonly exists: boolean; readonly message: string }
  | { readonly outcome: 'defer'; readonly message: string };

export interface AddressOptions extends ResolveOptions {
  readonly ipv4Only?: boolean;
  readonly family?: 4 | 6 | undefined;
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item);
}

function fullName({ aliases, asked }: { readonly aliases: readonly string[]; readonly asked: string }): string {
  return aliases.at(-1) ?? asked;
}

/** The addresses of a host by the DNS. One family is enough when the other cannot be told (as in Exim). */
export async function hostAddresses(
  resolver: Resolver,
  name: string,
  options: AddressOptions = {},
): Promise<HostAddressesFound | NoHost> {
  const { ipv4Only = false, family } = options;
  const answers = await Promise.all([
    ...(ipv4Only || family === 4 ? [] : [resolver.resolve(name, 'AAAA', options)]),
    ...(family === 6 ? [] : [resolver.resolve(name, 'A', options)]),
  ]);
  const found = answers.filter((answer) => answer.outcome === 'found');
  const [first] = found;
  if (first !== undefined) {
    return {
      outcome: 'found',
      addresses: found.flatMap(({ records }) => shuffled([...new Set(records)])),
      domain: fullName(first),
      canonicalName: first.name,
      secure: found.every(({ secure }) => secure),
    };
  }
  const failed = answers.find((answer) => answer.outcome === 'again');
  if (failed !== undefined) return { outcome: 'defer', message: failed.message };
  return { outcome: 'unknown', message: `no IP address found for ${name}` };
}

/** The addresses of a host as the system finds them (`byname`), in its order. */
export async function systemAddresses(
  name: string,
  family?: 4 | 6,
): Promise<{ readonly outcome: 'found'; readonly addresses: readonly string[] } | NoHost> {
  const unknown = { outcome: 'unknown', message: `no IP address found for host ${name}` } as const;
  if (name === '' || nameOctets(name) === undefined) return unknown;
  try {
    const found = await lookup(name, { all: true, order: 'verbatim', family: family ?? 0 });
    const addresses = [...new Set(found.map(({ address }) => address))];
    return addresses.length > 0 ? { outcome: 'found', addresses } : unknown;
  } catch (error) {
    if (errorCode(error) === 'ENOTFOUND') return unknown;
    return { outcome: 'defer', message: `host lookup for ${name} did not complete: ${errorText(error)}` };
  }
}

/** The hosts that take mail for a domain by its MX records. */
export async function mailExchangers(
  resolver: Resolver,
  domain: string,
  options: ResolveOptions = {},
): Promise<MailExchangers> {
  const answer = await resolver.resolve(domain, 'MX', options);
  if (answer.outcome === 'again') return { outcome: 'defer', message: answer.message };
  if (answer.outcome === 'nothing') {
    return { outcome: 'unknown', exists: answer.kind === 'nodata', message: `no MX record found for ${domain}` };
  }
  const { records, secure, ttl } = answer;
  if (records.length === 1 && records[0]?.exchange === '') return { outcome: 'refuses', secure };
  const sorted = shuffled(records).sort((one, other) => one.preference - other.preference);
  const preferences = new Map<string, { name: string; preference: number }>();
  for (const { exchange, preference } of sorted) {
    const key = lower(exchange);
    if (!preferences.has(key)) preferences.set(key, { name: exchange, preference });
  }
  return { outcome: 'found', hosts: [...preferences.values()], domain: fullName(answer), secure, ttl };
}

/**
 * The hosts that serve a domain by its SRV records, in the order of RFC 2782: by priority, and within one at random, by
 * weight.
 */
export async function serviceHosts(
  resolver: Resolver,
  domain: string,
  { service, dnssec }: { readonly service: string; readonly dnssec: boolean },
): Promise<MailExchangers> {
  const name = `_${service}._tcp.${domain}`;
  const answer = await resolver.resolve(name, 'SRV', { dnssec });
  if (answer.outcome === 'again') return { outcome: 'defer', message: answer.message };
  if (answer.outcome === 'nothing')
    return { outcome: 'unknown', exists: true, message: `no SRV record found for ${name}` };
  const { records, secure, ttl } = answer;
  if (records.length === 1 && records[0]?.target === '') return { outcome: 'refuses', secure };
  // heavier ones tend to the front: the key is a time that is the shorter the greater the weight
  const keyed = records.map((record) => ({
    ...record,
    key: -Math.log(1 - Math.random()) / Math.max(record.weight, 0.01),
  }));
  const sorted = keyed.sort((one, other) => one.priority - other.priority || one.key - other.key);
  const hosts = sorted.map(({ target, port, priority }) => ({ name: target, preference: priority, port }));
  return { outcome: 'found', hosts, domain, secure, ttl };
}

/** The addresses of this machine's interfaces, and those in `extra` (extra_local_interfaces), each once. */
export function localAddresses(extra: readonly string[] = []): readonly string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
  const all = [...own, ...extra].map((address) => parseIp(address)).filter((octets) => octets !== undefined);
  return [...new Set(all.map(formatIp))];
}
