/** IP addresses and networks: parsing, writing, masks, and the names they have in the DNS. */

/** An address as its octets: 4 for IPv4, 16 for IPv6. */
export type IpOctets = Uint8Array;

function parseIpv4(text: string): IpOctets | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const octets = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = parts[i] ?? '';
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    octets[i] = Number(part);
  }
  return octets;
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const tail = parseIpv4(part);
      if (tail === undefined) return undefined;
      groups.push(((tail[0] ?? 0) << 8) | (tail[1] ?? 0), ((tail[2] ?? 0) << 8) | (tail[3] ?? 0));
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function parseIpv6(text: string): IpOctets | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '');
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const octets = new Uint8Array(16);
  [...head, ...Array.from({ length: missing }, () => 0), ...tail].forEach((group, i) => {
    octets[2 * i] = group >> 8;
    octets[2 * i + 1] = group & 0xff;
  });
  return octets;
}

/** The octets of an address, or nothing when `text` is none. A zone index (`%eth0`) is accepted and dropped. */
export function parseIp(text: string): IpOctets | undefined {
  if (text.length > 64) return undefined;
  return text.includes(':') ? parseIpv6(text.replace(/%[^%/]*$/, '')) : parseIpv4(text);
}

/** 4 or 6 for an address, nothing for other text. */
export function ipVersion(text: string): 4 | 6 | undefined {
  const octets = parseIp(text);
  return octets === undefined ? undefined : octets.length === 4 ? 4 : 6;
}

/** The groups of an IPv6 address. */
export function groups(octets: IpOctets): number[] {
  const found: number[] = [];
  for (let i = 0; i < octets.length; i += 2) found.push(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
  return found;
}

/** The address in its usual form; IPv6 in lower case with the longest run of zeros left out (RFC 5952). */
export function formatIp(octets: IpOctets, leastZeros = 2): string {
  if (octets.length === 4) return octets.join('.');
  const all = groups(octets);
  let best = { from: -1, length: leastZeros - 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && all[i + length] === 0) length++;
    if (length > best.length) best = { from: i, length };
  }
  const hex = all.map((group) => group.toString(16));
  if (best.from < 0) return hex.join(':');
  return `${hex.slice(0, best.from).join(':')}::${hex.slice(best.from + best.length).join(':')}`;
}

/** IPv4 addresses that came in as IPv4-mapped IPv6 (`::ffff:192.0.2.1`) in their own form; others unchanged. */
export function withoutMapping(text: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text);
  return mapped?.[1] ?? text;
}

/** The address with all but its first `bits` bits cleared. */
export function maskIp(octets: IpOctets, bits: number): IpOctets {
  return octets.map((octet, i) => {
    const kept = Math.min(Math.max(bits - 8 * i, 0), 8);
    return octet & ((0xff00 >> kept) & 0xff);
  });
}

export interface Network {
  readonly octets: IpOctets;
  readonly bits: number;
}

/** `192.0.2.0/24`, or an address alone, which is a network of one. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const octets = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (octets === undefined) return undefined;
  const all = octets.length * 8;
  if (slash < 0) return { octets, bits: all };
  const suffix = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(suffix)) return undefined;
  // as in Exim, more bits than there are mean all of them
  const bits = Math.min(Number(suffix), all);
  return { octets: maskIp(octets, bits), bits };
}

/** Whether the address lies in the network; those of the other family never do. */
export function isInNetwork(address: IpOctets, network: Network): boolean {
  if (address.length !== network.octets.length) return false;
  const masked = maskIp(address, network.bits);
  return masked.every((octet, i) => octet === network.octets[i]);
}

/** Labels in reverse order, as names under in-addr.arpa and ip6.arpa are made (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseLabels(octets: IpOctets): string {
  if (octets.length === 4) return [...octets].reverse().join('.');
  return [...octets]
    .reverse()
    .map((octet) => `${(octet & 15).toString(16)}.${(octet >> 4).toString(16)}`)
    .join('.');
}

/** The name whose PTR record tells the host's name. */
export function reverseName(octets: IpOctets): string {
  return `${reverseLabels(octets)}.${octets.length === 4 ? 'in-addr' : 'ip6'}.arpa`;
}

/** Whether the text is an IP address. */
export function isIp(text: string): boolean {
  return parseIp(text) !== undefined;
}

/** An address, perhaps with a port: `1.2.3.4`, `1.2.3.4.25`, `[1.2.3.4]:25`. */
export function parseEndpoint(text: string): { readonly address: string; readonly port: number } | undefined {
  if (parseIp(text) !== undefined) return { address: text, port: 0 };
  const [, bracketed, bracketedPort] = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  const [, plain = '', plainPort] = /^(.*)\.(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  const port = Number((bracketed === undefined ? plainPort : bracketedPort) ?? 0);
  return parseIp(address) === undefined ? undefined : { address, port };
}
