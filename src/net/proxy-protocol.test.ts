/** The header of the PROXY protocol, in both versions, whole, in parts and wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxyHeader } from './proxy-protocol.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const signature = '\r\n\r\n\0\r\nQUIT\n';
const v4 = '\xc0\0\x02\x07\xc6\x33\x64\x01\x04\x01\0\x19';
const v6 = `${'\0'.repeat(15)}\x07${'\0'.repeat(15)}\x01\x04\x01\0\x19`;

function v2(command: number, family: number, addresses: string): string {
  return `${signature}${String.fromCharCode(command, family, addresses.length >> 8, addresses.length & 0xff)}${addresses}`;
}

/** `from to`, or how else it ended; and what is left behind the header. */
function told(text: string): string {
  const parsed = parseProxyHeader(latin1(text));
  if (parsed === undefined) return 'more';
  const { header, length } = parsed;
  const rest = text.slice(length);
  const left = rest === '' ? '' : ` | ${rest}`;
  if (header.outcome !== 'proxied') return `${header.outcome}${left}`;
  const [from, to] = [header.source, header.destination].map(({ address, port }) => `${address}:${port}`);
  return `${from} ${to}${left}`;
}

const both = '192.0.2.7:1025 198.51.100.1:25';
for (const [what, text, expected] of [
  ['version 1', 'PROXY TCP4 192.0.2.7 198.51.100.1 1025 25\r\nEHLO x', `${both} | EHLO x`],
  ['version 1 with IPv6', 'PROXY TCP6 2001:db8::7 ::1 1025 25\r\n', '2001:db8::7:1025 ::1:25'],
  ['a client that has no address', 'PROXY UNKNOWN ffff::1 ::2 1 2\r\n', 'unknown'],
  ['a line that ends with LF', 'PROXY TCP4 192.0.2.7 198.51.100.1 1025 25\n', 'failed'],
  ['a port that is none', 'PROXY TCP4 192.0.2.7 198.51.100.1 70000 25\r\n', 'failed'],
  ['an address that is none', 'PROXY TCP4 192.0.2.700 198.51.100.1 1025 25\r\n', 'failed'],
  ['an address of the other family', 'PROXY TCP4 ::1 198.51.100.1 1025 25\r\n', 'failed'],
  ['a family that is none', 'PROXY TCP5 192.0.2.7 198.51.100.1 1025 25\r\n', 'failed'],
  ['too few words', 'PROXY TCP4 192.0.2.7 198.51.100.1 1025\r\n', 'failed'],
  ['too many words', 'PROXY TCP4 192.0.2.7 198.51.100.1 1025 25 x\r\n', 'failed'],
  ['a line without an end', `PROXY TCP4 ${'1'.repeat(200)}`, 'failed'],
  ['the beginning of a line', 'PROX', 'more'],
  ['a command of SMTP', 'EHLO x\r\n', 'failed'],
  ['version 2', `${v2(0x21, 0x11, v4)}EHLO x`, `${both} | EHLO x`],
  ['version 2 with IPv6', v2(0x21, 0x21, v6), '::7:1025 ::1:25'],
  ['version 2 with more than addresses', v2(0x21, 0x11, `${v4}\x03\0\x04abcd`), both],
  ['a proxy that looks after us', v2(0x20, 0, ''), 'unknown'],
  ['UDP', v2(0x21, 0x12, v4), 'failed'],
  ['a socket of the proxy', v2(0x21, 0x31, 'x'.repeat(216)), 'failed'],
  ['addresses that are too short', v2(0x21, 0x11, v4.slice(1)), 'failed'],
  ['version 3', v2(0x31, 0x11, v4), 'failed'],
  ['the beginning of version 2', v2(0x21, 0x11, v4).slice(0, 20), 'more'],
  ['the beginning of the signature', signature.slice(0, 3), 'more'],
] as const) {
  test(`${what} is told as ${expected}`, () => assert.equal(told(text), expected));
}
