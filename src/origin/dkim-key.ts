/** The public keys of DKIM: their records in the DNS (RFC 6376 §3.6, RFC 8463 §4.2), and the keys in them. */

import type { KeyObject } from 'node:crypto';
import { decodeBase64 } from '../lib/base64.ts';
import { crypto } from '../lib/crypto.ts';
import type { Resolver } from '../net/dns.ts';
import type { KeyType } from './dkim-signature.ts';
import { decodeQuotedPrintable, parseTags, withoutBlanks } from './tags.ts';

export interface KeyRecord {
  readonly octets: Buffer;
  /** Hash functions that it may be used with; all when it names none. */
  readonly hashes: readonly string[] | undefined;
  readonly granularity: string;
  readonly serviceTypes: string;
  readonly notes: string;
  readonly isTest: boolean;
  readonly forbidsSubdomains: boolean;
}

export type KeyAnswer = KeyRecord | 'unavailable' | 'no key record';

function parseKeyRecord(text: string): KeyRecord | undefined {
  const tags = parseTags(text);
  const value = (name: string, standard = ''): string => withoutBlanks(tags?.get(name) ?? standard);
  if (tags === undefined || !tags.has('p') || value('v', 'DKIM1') !== 'DKIM1') return undefined;
  const services = value('s', '*');
  if (!services.split(':').some((service) => service === '*' || service === 'email')) return undefined;
  const flags = value('t').split(':');
  return {
    octets: Buffer.from(decodeBase64(value('p')) ?? '', 'latin1'),
    hashes: tags.has('h') ? value('h').split(':') : undefined,
    granularity: value('g', '*'),
    serviceTypes: services,
    notes: decodeQuotedPrintable(tags.get('n') ?? ''),
    isTest: flags.includes('y'),
    forbidsSubdomains: flags.includes('s'),
  };
}

/** Asks for the key of a selector; of several records the first that is one counts. */
export async function findKey(
  resolver: Pick<Resolver, 'resolve'>,
  selector: string,
  domain: string,
): Promise<KeyAnswer> {
  const answer = await resolver.resolve(`${selector}._domainkey.${domain}`, 'TXT');
  if (answer.outcome !== 'found') return 'unavailable';
  for (const strings of answer.records) {
    const record = parseKeyRecord(strings.join(''));
    if (record !== undefined) return record;
  }
  return 'no key record';
}

/** What stands in front of the octets of an Ed25519 key when it is written as X.509 writes keys (RFC 8410 §4). */
const ed25519Head = Buffer.from('302a300506032b6570032100', 'hex');

/** The key itself, or nothing when the octets are none of that type. */
export function importKey(octets: Buffer, type: KeyType): KeyObject | undefined {
  const { createPublicKey } = crypto();
  const attempts: readonly (() => KeyObject)[] = [
    () => {
      const isBare = type === 'ed25519' && octets.length === 32;
      return createPublicKey({
        key: isBare ? Buffer.concat([ed25519Head, octets]) : octets,
        format: 'der',
        type: 'spki',
      });
    },
    () => createPublicKey({ key: octets, format: 'der', type: 'pkcs1' }),
  ];
  for (const attempt of attempts) {
    try {
      const key = attempt();
      if (key.asymmetricKeyType === type) return key;
    } catch {
      // not in this form
    }
  }
  return undefined;
}

/** Bits. */
export function keyLength(key: KeyObject): number {
  return key.asymmetricKeyType === 'ed25519' ? 256 : (key.asymmetricKeyDetails?.modulusLength ?? 0);
}
