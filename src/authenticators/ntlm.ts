/**
 * The three messages of NTLM and the answers in them, in the first version of the scheme, which is the one that Exim knows
 * (MS-NLMP §2.2, §3.3.1). Names are byte strings, each octet a 16-bit character where the protocol has those.
 */

import { crypto } from '../lib/crypto.ts';
import { md4 } from '../lib/md4.ts';
import { upper } from '../lib/octets.ts';

const signature = 'NTLMSSP\0';
/** Where each message ends that has no texts. */
const headSizes = { negotiate: 32, challenge: 32, authenticate: 64 } as const;
const kinds = { negotiate: 1, challenge: 2, authenticate: 3 } as const;
type Kind = keyof typeof kinds;

/** What we offer: Unicode, OEM texts, the name of the target, NTLM, domain and workstation, always signed. */
const negotiateFlags = 0xb207;
/** What a server of ours takes: Unicode, NTLM, always signed. */
const challengeFlags = 0x8201;

const challengeLength = 8;
/** Octets of an answer to a challenge. */
const answerLength = 24;
/** Characters of a name that are looked at. */
const longestName = 256;

/** A message of a kind, which is long enough for that; nothing when it is another. */
function messageOf(kind: Kind, text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'latin1');
  const isThat =
    octets.length >= headSizes[kind] && text.startsWith(signature) && octets.readUInt32LE(8) === kinds[kind];
  return isThat ? octets : undefined;
}

/** What a field of a message points to; nothing when that is not within the message. */
function fieldAt(message: Buffer, at: number): Buffer | undefined {
  const [length, start] = [message.readUInt16LE(at), message.readUInt32LE(at + 4)];
  return start + length <= message.length ? message.subarray(start, start + length) : undefined;
}

function number32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32LE(value);
  return octets;
}

/** The beginning of a message, and what stands before the fields. */
const beginning = (kind: Kind, ...more: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(signature, 'latin1'), number32(kinds[kind]), ...more]);

/** A message: fields point to the texts, which stand one behind the other at the end. */
function message(head: Buffer, texts: readonly Buffer[], tail: Buffer = Buffer.alloc(0)): Buffer {
  let start = head.length + 8 * texts.length + tail.length;
  const fields = texts.map(({ length }) => {
    const field = Buffer.alloc(8);
    field.writeUInt16LE(length, 0);
    field.writeUInt16LE(length, 2);
    field.writeUInt32LE(start, 4);
    start += length;
    return field;
  });
  return Buffer.concat([head, ...fields, tail, ...texts]);
}

const wide = (name: string): Buffer => Buffer.from(name, 'utf16le');

/** A name in 16-bit characters; nothing when one of them is no octet, or the name is too long. */
function narrow(octets: Buffer | undefined): string | undefined {
  if (octets === undefined || octets.length % 2 !== 0 || octets.length > 2 * longestName) return undefined;
  const name = octets.toString('utf16le');
  return /^[\x01-\xff]*$/.test(name) ? name : undefined;
}

/** The client's first word: who it is, and of which domain, both as octets. */
export function negotiation(user: string, domain: string): string {
  const texts = [user, domain].map((name) => Buffer.from(name, 'latin1'));
  return message(beginning('negotiate', number32(negotiateFlags)), texts).toString('latin1');
}

export const newChallenge = (): Buffer => crypto().randomBytes(challengeLength);

/** What a server says to it. */
export function challengeMessage(challenge: Buffer): string {
  // the name of the target is empty, and what follows the challenge is not used
  const tail = Buffer.concat([number32(challengeFlags), challenge, Buffer.alloc(16)]);
  const target = Buffer.concat([Buffer.alloc(4), number32(40)]);
  return Buffer.concat([beginning('challenge'), target, tail]).toString('latin1');
}

export interface Challenge {
  readonly challenge: Buffer;
  readonly flags: number;
  /** The domain that the server is of; empty when it does not say. */
  readonly domain: string;
}

export function readChallenge(text: string): Challenge | undefined {
  const octets = messageOf('challenge', text);
  if (octets === undefined) return undefined;
  return {
    challenge: octets.subarray(24, 32),
    flags: octets.readUInt32LE(20),
    domain: narrow(fieldAt(octets, 12)) ?? '',
  };
}

/** Eight octets of a key for DES from seven, whose lowest bits are not used. */
function desKey(seven: Buffer): Buffer {
  const bits = BigInt(`0x${seven.toString('hex')}`);
  return Buffer.from(Array.from({ length: 8 }, (_, i) => Number((bits >> BigInt(49 - 7 * i)) & 0x7fn) << 1));
}

/** One block of DES. The library has only the triple one left, which with the same key three times is the single one. */
function des(seven: Buffer, block: Buffer): Buffer {
  const key = desKey(seven);
  const cipher = crypto()
    .createCipheriv('des-ede3-ecb', Buffer.concat([key, key, key]), null)
    .setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

/** What proves that somebody knows the hash of the password. */
function answer(hash: Buffer, challenge: Buffer): Buffer {
  const key = Buffer.concat([hash, Buffer.alloc(21 - hash.length)]);
  return Buffer.concat([0, 7, 14].map((at) => des(key.subarray(at, at + 7), challenge)));
}

const magic = Buffer.from('KGS!@#$%');

/** Made of the password in 16-bit characters. */
export const ntAnswer = (password: string, challenge: Buffer): Buffer => answer(md4(wide(password)), challenge);

/** Made of the first 14 characters in upper case, for servers that know no better. */
export function lanManagerAnswer(password: string, challenge: Buffer): Buffer {
  const key = Buffer.alloc(14);
  key.write(upper(password), 'latin1');
  const hash = Buffer.concat([des(key.subarray(0, 7), magic), des(key.subarray(7), magic)]);
  return answer(hash, challenge);
}

/** The client's last word. */
export function authentication(
  user: string,
  domain: string,
  password: string,
  { challenge, flags }: Challenge,
): string {
  const answers = [lanManagerAnswer(password, challenge), ntAnswer(password, challenge)];
  // the workstation has the name of the user, and there is no key of a session
  const texts = [...answers, wide(domain), wide(user), wide(user), Buffer.alloc(0)];
  return message(beginning('authenticate'), texts, number32(flags)).toString('latin1');
}

export interface Authentication {
  readonly user: string;
  readonly answer: Buffer;
}

/** Who the client says it is, and what it answers; nothing when it says neither. */
export function readAuthentication(text: string): Authentication | undefined {
  const octets = messageOf('authenticate', text);
  if (octets === undefined) return undefined;
  const [answer, user] = [fieldAt(octets, 20), narrow(fieldAt(octets, 36))];
  return user === undefined || answer?.length !== answerLength ? undefined : { user, answer };
}
