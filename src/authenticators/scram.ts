/** The messages and keys of SCRAM, for both of its sides (RFC 5802, RFC 7677). Texts are octets. */

import { crypto } from '../lib/crypto.ts';

export type ScramHash = 'sha1' | 'sha256';

export const scramHashes: ReadonlyMap<string, ScramHash> = new Map([
  ['SCRAM-SHA-1', 'sha1'],
  ['SCRAM-SHA-256', 'sha256'],
]);

export const hashLength: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32 };

/** Rounds that are worked off at most: a peer must not keep the machine busy. */
export const mostRounds = 1_000_000;

/** The fewest that RFC 5802 §5.1 allows. */
export const fewestRounds = 4096;

export const toBase64 = (octets: Buffer): string => octets.toString('base64');

/** Base64 and nothing else. */
export function fromBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64');
  return text !== '' && toBase64(octets) === text ? octets : undefined;
}

/** Printable, without commas (RFC 5802 §5.1). */
export const newNonce = (): string => toBase64(crypto().randomBytes(18));

/** A name as messages hold it: `=` and `,` would end it. */
export const escapedName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');

export function plainName(escaped: string): string | undefined {
  if (/=(?!2C|3D)/.test(escaped)) return undefined;
  return escaped.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** The attributes of a message by their letters; nothing when it is malformed. */
export function attributesOf(message: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (const part of message.split(',', 20)) {
    if (!/^[A-Za-z]=/.test(part) || found.has(part.slice(0, 1))) return undefined;
    found.set(part.slice(0, 1), part.slice(2));
  }
  return found;
}

const hmac = (hash: ScramHash, key: Buffer, text: string): Buffer =>
  crypto().createHmac(hash, key).update(Buffer.from(text, 'latin1')).digest();

/** A password as it is hashed: compatible forms of characters are one (SASLprep, RFC 4013, in its main part). */
function prepared(password: string): Buffer {
  const octets = Buffer.from(password, 'latin1');
  const text = octets.toString('utf8');
  return text.includes('\ufffd') ? octets : Buffer.from(text.normalize('NFKC'), 'utf8');
}

/** Away from the thread that serves everybody: it is meant to take long. */
export function saltedPassword(hash: ScramHash, password: string, salt: Buffer, rounds: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    crypto().pbkdf2(prepared(password), salt, rounds, hashLength[hash], hash, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

export interface StoredKeys {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const clientKeyOf = (hash: ScramHash, salted: Buffer): Buffer => hmac(hash, salted, 'Client Key');
const storedKeyOf = (hash: ScramHash, clientKey: Buffer): Buffer =>
  crypto().createHash(hash).update(clientKey).digest();

export function keysOf(hash: ScramHash, salted: Buffer): StoredKeys {
  return { storedKey: storedKeyOf(hash, clientKeyOf(hash, salted)), serverKey: hmac(hash, salted, 'Server Key') };
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((octet, i) => octet ^ (other[i] ?? 0)));
}

/** What the client sends to prove that it knows the password. */
export function clientProof(hash: ScramHash, salted: Buffer, conversation: string): Buffer {
  const clientKey = clientKeyOf(hash, salted);
  return xor(clientKey, hmac(hash, storedKeyOf(hash, clientKey), conversation));
}

export function isProof(hash: ScramHash, proof: Buffer, { storedKey }: StoredKeys, conversation: string): boolean {
  if (proof.length !== hashLength[hash]) return false;
  const clientKey = xor(proof, hmac(hash, storedKey, conversation));
  return crypto().timingSafeEqual(storedKeyOf(hash, clientKey), storedKey);
}

/** What the server sends to prove that it knows the user. */
export function serverSignature(hash: ScramHash, { serverKey }: StoredKeys, conversation: string): string {
  return toBase64(hmac(hash, serverKey, conversation));
}
