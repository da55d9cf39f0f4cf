/**
 * The sets of Diffie-Hellman parameters that `tls_dhparam` may name (Exim spec 14.13, tls_dhparam), in the form that the
 * library reads (PKCS#3). Primes are computed, or are those that the library has.
 */

import { crypto } from '../lib/crypto.ts';
import { derValues } from '../lib/der.ts';

/** The sets of RFC 7919: their size, and the number that completes the prime. */
const finiteFields: ReadonlyMap<string, readonly [bits: number, completes: bigint]> = new Map([
  ['ffdhe2048', [2048, 560316n]],
  ['ffdhe3072', [3072, 2625351n]],
  ['ffdhe4096', [4096, 5736041n]],
  ['ffdhe6144', [6144, 15705020n]],
  ['ffdhe8192', [8192, 10965728n]],
]);

/** Those of RFC 3526 that are large enough for the library, by the library's names. */
const internetKeyExchange: ReadonlyMap<string, string> = new Map([
  ['ike14', 'modp14'],
  ['ike15', 'modp15'],
  ['ike16', 'modp16'],
  ['ike17', 'modp17'],
  ['ike18', 'modp18'],
]);

/** Names whose primes are too small, distrusted or Exim's own: in their place stands what is taken without a name. */
const replaced: ReadonlySet<string> = new Set([
  ...['default', 'historic', 'ike1', 'ike2', 'ike5', 'ike22', 'ike23', 'ike24'],
  ...['exim.dev.20160529.1', 'exim.dev.20160529.2', 'exim.dev.20160529.3'],
]);

/** The size that is as good as the ciphers, in bits. */
const suggestedBits = 3072;

/** The set that a name stands for; without one that of the suggested size, or the smallest. Nothing for an unknown name. */
export function groupNamed(name: string, mostBits: number): string | undefined {
  if (finiteFields.has(name) || internetKeyExchange.has(name)) return name;
  if (name !== '' && !replaced.has(name)) return undefined;
  return mostBits < suggestedBits ? 'ffdhe2048' : 'ffdhe3072';
}

/** The first bits of the base of the natural logarithm: ⌊2^bits · e⌋. */
function eulersNumber(bits: number): bigint {
  // more bits than are asked for, as each term loses less than one of them
  const spare = 64;
  let term = 1n << BigInt(bits + spare);
  let sum = 0n;
  for (let n = 1n; term > 0n; n++) {
    sum += term;
    term /= n;
  }
  return sum >> BigInt(spare);
}

/** RFC 7919 appendix A. */
function finiteFieldPrime(bits: number, completes: bigint): bigint {
  const middle = eulersNumber(bits - 130) + completes;
  return (1n << BigInt(bits)) - (1n << BigInt(bits - 64)) + (middle << 64n) - 1n;
}

function octetsOf(number: bigint): Buffer {
  const text = number.toString(16);
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex');
}

/** A value of DER with its tag and length. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? Buffer.of(length) : octetsOf(BigInt(length));
  const head = length < 128 ? [Buffer.of(tag), size] : [Buffer.of(tag, 0x80 | size.length), size];
  return Buffer.concat([...head, content]);
}

/** Positive: its first bit is none. */
const derInteger = (octets: Buffer): Buffer =>
  der(2, (octets[0] ?? 0) < 128 ? octets : Buffer.concat([Buffer.of(0), octets]));

/** The parameters of a set, as a file holds them. */
export function groupParameters(name: string): string {
  const field = finiteFields.get(name);
  const prime =
    field === undefined
      ? crypto()
          .getDiffieHellman(internetKeyExchange.get(name) ?? '')
          .getPrime()
      : octetsOf(finiteFieldPrime(...field));
  const body = der(0x30, Buffer.concat([derInteger(prime), derInteger(Buffer.of(2))])).toString('base64');
  return `-----BEGIN DH PARAMETERS-----\n${body.replace(/.{1,64}/g, '$&\n')}-----END DH PARAMETERS-----\n`;
}

/** The size of the prime in a file; 0 when there is none. */
export function parameterBits(pem: Buffer): number {
  const [, body = ''] = /-----BEGIN (?:X9\.42 )?DH PARAMETERS-----([^-]*)-----END/.exec(pem.toString('latin1')) ?? [];
  const [prime] = derValues(derValues(Buffer.from(body, 'base64'))[0]?.content ?? Buffer.alloc(0));
  return prime === undefined || prime.content.length === 0
    ? 0
    : BigInt(`0x${prime.content.toString('hex')}`).toString(2).length;
}
