/** Operators on mail addresses and IP addresses. */

import { trimStart } from '../../lib/octets.ts';
import { parseAddress, splitAddressList } from '../../mail/address.ts';
import { formatIp, groups, maskIp, parseIp, reverseLabels } from '../../net/address.ts';
import type { Text } from '../../safe/taint.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

const lenient = { allowEmpty: true, allowDomainLiterals: true };

function parsed(text: Text): { readonly address: string; readonly localPart: string; readonly domain: string } {
  const found = parseAddress(text.value, lenient);
  return 'error' in found ? { address: '', localPart: '', domain: '' } : { ...found, domain: found.domain ?? '' };
}

/** All addresses as a list; `>x` in front changes its separator. */
function addresses(text: Text): string {
  if (/^[ \t-\r]*>$/.test(text.value))
    return fail(`output separator missing in expanding \${addresses:${trimStart(text.value)}}`);
  const separator = /^[ \t-\r]*>(.)[ \t-\r]*/s.exec(text.value);
  const mark = separator?.[1] ?? ':';
  return splitAddressList(text.value.slice(separator?.[0].length ?? 0))
    .map((item) => parseAddress(item, lenient))
    .flatMap((found) => ('error' in found || found.address === '' ? [] : [found.address]))
    .map((address) => address.replaceAll(mark, mark + mark))
    .join(mark);
}

const fullGroups = (octets: Uint8Array): string[] => groups(octets).map((group) => group.toString(16).padStart(4, '0'));

/** An address with the mask that may follow it; a number of bits that is left out is 0, and blanks precede it. */
function masked(text: Text): { readonly octets: Uint8Array; readonly bits: number | undefined } | undefined {
  const [, address = '', suffix] = /^([^/%]*(?:%[^/]*)?)(\/[ \t-\r]*\+?\d*)?$/s.exec(text.value) ?? [];
  const octets = suffix !== undefined && address.includes('%') ? undefined : parseIp(address);
  return octets && { octets, bits: suffix === undefined ? undefined : wrappedNumber(suffix.slice(1)) };
}

/** What is left of a number in 32 bits. */
function wrappedNumber(text: string): number {
  return Number(BigInt.asIntN(32, BigInt(/\d{0,40}$/.exec(text)?.[0] ?? '0')));
}

function mask(text: Text, option: string): string {
  const found = masked(text);
  if (found === undefined) return fail(`"${text.value}" is not an IP address`);
  const { octets, bits } = found;
  if (bits === undefined) return fail(`missing mask value in "${text.value}"`);
  if (bits < 0 || bits > octets.length * 8) return fail(`mask value too big in "${text.value}"`);
  const network = maskIp(octets, bits);
  const address = octets.length === 4 || option === 'n' ? formatIp(network, 1) : fullGroups(network).join('.');
  return `${address}/${bits}`;
}

const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);

function ipv6(text: Text, write: (octets: Uint8Array) => string): string {
  const octets = parseIp(text.value);
  if (octets === undefined) return fail(`"${text.value}" is not an IP address`);
  return write(octets.length === 16 ? octets : new Uint8Array([...mapped, ...octets]));
}

/** Mapped IPv4 addresses are reversed as what they stand for. */
function reversed(text: Text): string {
  const octets = masked(text)?.octets ?? fail(`reverse_ip() not given an IP address [${text.value}]`);
  const isMapped = octets.length === 16 && mapped.every((octet, i) => octets[i] === octet);
  return reverseLabels(isMapped ? octets.slice(12) : octets);
}

export const addressOperators: readonly Operator[] = [
  { name: 'address', doc: 'the bare address of a mailbox', evaluate: (text) => parsed(text).address },
  { name: 'addresses', doc: 'the bare addresses of a header', evaluate: addresses },
  { name: 'domain', doc: 'the domain of an address', evaluate: (text) => parsed(text).domain },
  { name: 'local_part', doc: 'the local part of an address', evaluate: (text) => parsed(text).localPart },
  { name: 'mask', doc: 'a network address', evaluate: mask },
  {
    name: 'ipv6norm',
    doc: 'an IPv6 address in its shortest form',
    evaluate: (text) => ipv6(text, (octets) => formatIp(octets, 1)),
  },
  {
    name: 'ipv6denorm',
    doc: 'an IPv6 address with all digits',
    evaluate: (text) => ipv6(text, (octets) => fullGroups(octets).join(':')),
  },
  {
    name: 'reverse_ip',
    doc: 'an IP address as names in the DNS have it',
    evaluate: reversed,
  },
];
