/** Whether a signature over header lines is right: its key is asked for, and used. */

import { crypto } from '../lib/crypto.ts';
import type { Resolver } from '../net/dns.ts';
import { findKey, importKey, keyLength } from './dkim-key.ts';
import type { DkimSignature, KeyType } from './dkim-signature.ts';
import type { DkimVerdict } from './dkim-verdict.ts';

/** What is noted in the log while signatures are checked. */
export type DkimRemark = (text: string) => void;

/** Bits that keys must have. */
export type ShortestKeys = Readonly<Record<KeyType, number>>;

const importFailed = 'validation error: ASN1 parser: Error in TAG.';
const notVerified = 'validation error: Public key signature verification has failed.';

export function verdictOf(signature: DkimSignature, finding: DkimVerdict['finding']): DkimVerdict {
  return { signature, finding, key: undefined, keyLength: 0 };
}

/** `text` is what was signed. */
export async function prove(
  signature: DkimSignature,
  text: () => string,
  shortestKeys: ShortestKeys,
  resolver: Pick<Resolver, 'resolve'>,
  remark: DkimRemark,
): Promise<DkimVerdict> {
  const { hash, keyType, selector, domain } = signature;
  const record = await findKey(resolver, selector, domain);
  if (typeof record === 'string') {
    remark(`d=${domain} s=${selector} [failed key import]`);
    return verdictOf(signature, record === 'unavailable' ? 'no key' : record);
  }
  const key = importKey(record.octets, keyType);
  if (key === undefined) {
    remark(`d=${domain} s=${selector} [failed key import]`);
    remark(importFailed);
    return verdictOf(signature, 'malformed key');
  }
  const length = keyLength(key);
  const concluded = (finding: DkimVerdict['finding']): DkimVerdict => {
    return { signature, finding, key: record, keyLength: length };
  };
  if (record.hashes?.includes(hash) === false) return concluded('wrong hash');
  if (length < shortestKeys[keyType]) return concluded('short key');
  const data = Buffer.from(text(), 'latin1');
  const { createHash, verify } = crypto();
  const isRight =
    keyType === 'rsa'
      ? verify(hash, data, key, signature.signature)
      : verify(undefined, createHash(hash).update(data).digest(), key, signature.signature);
  if (!isRight) remark(notVerified);
  return concluded(isRight ? 'pass' : 'signature');
}
