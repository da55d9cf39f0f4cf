/** Challenge and answer of CRAM-MD5 (RFC 2195). */

import * as clock from '../lib/clock.ts';
import { crypto } from '../lib/crypto.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

export function cramDigest(challenge: string, secret: string): string {
  return crypto().createHmac('md5', octets(secret)).update(octets(challenge)).digest('hex');
}

/** Never the same twice (RFC 2195 §2). */
export function newChallenge(hostname: string): string {
  return `<${crypto().randomInt(2 ** 32)}.${clock.seconds()}@${hostname}>`;
}

/** The parts of an answer: the user may hold blanks. */
export function splitCramAnswer(answer: string): { readonly user: string; readonly digest: string } {
  const blank = answer.lastIndexOf(' ');
  return blank < 0 ? { user: answer, digest: '' } : { user: answer.slice(0, blank), digest: answer.slice(blank + 1) };
}

/** Compares in a time that tells nothing. */
export function isSame(one: string, other: string): boolean {
  return one.length === other.length && crypto().timingSafeEqual(octets(one), octets(other));
}
