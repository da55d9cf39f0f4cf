/**
 * The header with which a proxy says for whom it has opened a connection: the PROXY protocol of HAProxy, versions 1 and
 * 2 (https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt; Exim spec 59.1).
 */

import * as clock from '../lib/clock.ts';
import { formatIp, ipVersion } from './address.ts';
import type { LineConnection } from './line-connection.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  | { readonly outcome: 'proxied'; readonly source: Endpoint; readonly destination: Endpoint }
  /** The proxy speaks for itself, or for somebody it cannot name. */
  | { readonly outcome: 'unknown' }
  /** There was no header in time, or one that makes no sense. */
  | { readonly outcome: 'failed' };

/** The header that begins the octets, and how long it is; nothing while more of it must come. */
type Parsed = { readonly header: ProxyHeader; readonly length: number } | undefined;

const failed: ProxyHeader = { outcome: 'failed' };
const unknown: ProxyHeader = { outcome: 'unknown' };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const keyword = Buffer.from('PROXY ', 'latin1');
/** Octets of the fixed part of version 2, and of the longest line of version 1 with its end. */
const fixedPart = 16;
const longestLine = 107;

/** Reads the header; `timeout` in milliseconds for all of it. What stands behind it is left to be read. */
export async function readProxyHeader(lines: LineConnection, timeout: number): Promise<ProxyHeader> {
  const until = clock.elapsed() + timeout;
  let octets = Buffer.alloc(0);
  for (;;) {
    const block = await lines.readBlock(Math.max(until - clock.elapsed(), 1));
    if (typeof block === 'string') return failed;
    octets = Buffer.concat([octets, block]);
    const parsed = parseProxyHeader(octets);
    if (parsed === undefined) continue;
    if (parsed.length < octets.length) lines.unread(octets.subarray(parsed.length));
    return parsed.header;
  }
}

export function parseProxyHeader(octets: Buffer): Parsed {
  if (beginsLike(octets, signature)) return version2(octets);
  if (beginsLike(octets, keyword)) return version1(octets);
  return { header: failed, length: octets.length };
}

/** Whether it is the beginning, as far as both of them go. */
function beginsLike(octets: Buffer, text: Buffer): boolean {
  const length = Math.min(octets.length, text.length);
  return octets.subarray(0, length).equals(text.subarray(0, length));
}

const families: ReadonlyMap<string, 4 | 6> = new Map([
  ['TCP4', 4],
  ['TCP6', 6],
]);

function version1(octets: Buffer): Parsed {
  const end = octets.subarray(0, longestLine).indexOf('\n');
  if (end < 0) return octets.length < longestLine ? undefined : { header: failed, length: octets.length };
  const length = end + 1;
  const [, line] = /^PROXY (.*)\r$/s.exec(octets.toString('latin1', 0, end)) ?? [];
  if (line === undefined) return { header: failed, length };
  if (/^UNKNOWN(?: |$)/.test(line)) return { header: unknown, length };
  const [family = '', from = '', to = '', fromPort = '', toPort = '', ...more] = line.split(' ');
  const wanted = families.get(family);
  const source = endpoint(from, fromPort);
  const destination = endpoint(to, toPort);
  const isGood = more.length === 0 && [from, to].every((address) => ipVersion(address) === wanted);
  if (!isGood || wanted === undefined || source === undefined || destination === undefined) {
    return { header: failed, length };
  }
  return { header: { outcome: 'proxied', source, destination }, length };
}

function endpoint(address: string, port: string): Endpoint | undefined {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.POSITIVE_INFINITY;
  return number <= 0xffff ? { address, port: number } : undefined;
}

/** Octets of an address by the family and transport that version 2 names; others are not for mail. */
const addressSizes: ReadonlyMap<number, number> = new Map([
  [0x11, 4],
  [0x21, 16],
]);
const [local, proxy] = [0x20, 0x21];

function version2(octets: Buffer): Parsed {
  if (octets.length < fixedPart) return undefined;
  const length = fixedPart + octets.readUInt16BE(14);
  if (octets.length < length) return undefined;
  const command = octets[12];
  if (command === local) return { header: unknown, length };
  const size = addressSizes.get(octets[13] ?? 0);
  if (command !== proxy || size === undefined || length < fixedPart + 2 * (size + 2)) {
    return { header: failed, length };
  }
  const addressAt = (at: number): string => formatIp(octets.subarray(at, at + size));
  const ports = fixedPart + 2 * size;
  const source = { address: addressAt(fixedPart), port: octets.readUInt16BE(ports) };
  const destination = { address: addressAt(fixedPart + size), port: octets.readUInt16BE(ports + 2) };
  return { header: { outcome: 'proxied', source, destination }, length };
}
