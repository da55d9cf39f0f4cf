/** Operators on mail addresses and IP addresses. */

import { domainToASCII, domainToUnicode } from 'node:url';
import { parseAddress, splitAddressList } from '../../mail/address.ts';
import { formatIp, groups, maskIp, parseIp, reverseLabels } from '../../net/address.ts';
import type { Text } from '../../safe/taint.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

const lenient = { allowEmpty: true, allowDomainLiterals: true, utf8: true };

function parsed(text: Text): { readonly address: string; readonly localPart: string; readonly domain: string } {
  const found = parseAddress(text.value, lenient);
  return 'error' in found ? { address: '', localPart: '', domain: '' } : { ...found, domain: found.domain ?? '' };
}

/** All addresses as a list; `>x` in front changes its separator. */
function addresses(text: Text): string {
  const separator = /^[ \t-\r]*>(.)[ \t-\r]*/s.exec(text.value);
  const mark = separator?.[1] ?? ':';
  return splitAddressList(text.value.slice(separator?.[0].length ?? 0))
    .map((item) => parseAddress(item, lenient))
    .flatMap((found) => ('error' in found || found.address === '' ? [] : [found.address]))
    .map((address) => address.replaceAll(mark, mark + mark))
    .join(mark);
}

const fullGroups = (octets: Uint8Array): string[] => groups(octets).map((group) => group.toString(16).padStart(4, '0'));

function mask(text: Text, option: string): string {
  const slash = text.value.indexOf('/');
  if (slash < 0) return fail(`missing mask value in "${text.value}"`);
  const octets = parseIp(text.value.slice(0, slash));
  const suffix = text.value.slice(slash + 1);
  if (octets === undefined) return fail(`"${text.value}" is not an IP address`);
  if (!/^\d+$/.test(suffix)) return fail(`mask value must be a number in "${text.value}"`);
  if (Number(suffix) > octets.length * 8) return fail(`mask value too big in "${text.value}"`);
  const masked = maskIp(octets, Number(suffix));
  const address = octets.length === 4 || option === 'n' ? formatIp(masked, 1) : fullGroups(masked).join('.');
  return `${address}/${Number(suffix)}`;
}

function ipv6(text: Text, write: (octets: Uint8Array) => string): string {
  const octets = parseIp(text.value);
  if (octets === undefined) return fail(`"${text.value}" is not an IP address`);
  return octets.length === 16 ? write(octets) : '';
}

/** A label-wise conversion of internationalised names; what cannot be converted fails. */
const international = (name: string, convert: (text: string) => string): Operator => ({
  name,
  doc: 'conversion between UTF-8 and A-label form',
  evaluate: (text) => {
    const unicode = Buffer.from(text.value, 'latin1').toString('utf8');
    const converted = unicode === '' ? '' : convert(unicode);
    if (converted === '' && unicode !== '') return fail(`error converting utf8 to alabel: ${text.value}`);
    return Buffer.from(converted, 'utf8').toString('latin1');
  },
});

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
    evaluate: (text) => {
      const octets = parseIp(text.value);
      return octets === undefined
        ? fail(`reverse_ip() not given an IP address [${text.value}]`)
        : reverseLabels(octets);
    },
  },
  international('utf8_domain_to_alabel', domainToASCII),
  international('utf8_domain_from_alabel', domainToUnicode),
  international('utf8_localpart_to_alabel', domainToASCII),
  international('utf8_localpart_from_alabel', domainToUnicode),
];
