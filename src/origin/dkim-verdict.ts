/** What checking a DKIM signature can come to, and how Exim says it in variables, logs and header lines (spec 58.3). */

import type { KeyRecord } from './dkim-key.ts';
import type { DkimSignature } from './dkim-signature.ts';

export type DkimStatus = 'none' | 'invalid' | 'fail' | 'pass';

interface Wording {
  readonly status: DkimStatus;
  /** `$dkim_verify_reason`. */
  readonly reason: string;
  /** For the log, in brackets. */
  readonly log: string;
  /** For an Authentication-Results: line; `#` is the length of the key. */
  readonly result: string;
}

const row = (status: DkimStatus, reason: string, log: string, result: string): Wording => ({
  status,
  reason,
  log,
  result,
});
const noRecord = 'invalid - syntax error in public key record';
const noImport = 'neutral (public key record import problem)';

const wordings = {
  'not verified': row('none', '', 'not verified', 'none'),
  pass: row('pass', '', 'verification succeeded', 'pass'),
  tag: row('invalid', '', 'invalid - signature tag missing or invalid', 'neutral (signature tag missing or invalid)'),
  version: row('invalid', '', 'invalid - unsupported DKIM version', 'neutral (unsupported DKIM version)'),
  'no key': row(
    'invalid',
    'pubkey_unavailable',
    'invalid - public key record (currently?) unavailable',
    'tmperror (pubkey unavailable)',
  ),
  'no key record': row('invalid', 'pubkey_dns_syntax', noRecord, noImport),
  'malformed key': row('invalid', 'pubkey_der_syntax', noRecord, noImport),
  body: row(
    'fail',
    'bodyhash_mismatch',
    'verification failed - body hash mismatch (body probably modified in transit)',
    'fail (body hash mismatch; body probably modified in transit)',
  ),
  'short key': row(
    'fail',
    'pubkey_too_short',
    'verification failed - signature invalid (key too short)',
    'fail (public key too short: # bits)',
  ),
  'wrong hash': row('fail', '', 'verification failed - unspecified reason', 'fail (unspecified reason)'),
  signature: row(
    'fail',
    'signature_incorrect',
    'verification failed - signature did not verify (headers probably modified in transit)',
    'fail (signature did not verify; headers probably modified in transit)',
  ),
} as const satisfies Readonly<Record<string, Wording>>;

export type DkimFinding = keyof typeof wordings;

export interface DkimVerdict {
  readonly signature: DkimSignature;
  readonly finding: DkimFinding;
  readonly key: KeyRecord | undefined;
  /** Bits; 0 when no key was looked at. */
  readonly keyLength: number;
}

export function wordingOf({ finding }: Pick<DkimVerdict, 'finding'>): Wording {
  return wordings[finding];
}

/** `d=… s=… c=… a=… b=…`: a signature as the log shows it (log selector dkim_verbose). */
export function signatureForLog({ signature: s }: DkimVerdict): string {
  const rest = [
    ['i', s.identity],
    ['t', s.created],
    ['x', s.expires],
    ['l', s.bodyLength],
  ].map(([tag, value]) => (value === undefined || value === '' ? '' : ` ${tag}=${value}`));
  const [domain, selector] = [s.domain || '<UNSET>', s.selector || '<UNSET>'];
  const forms = `${s.headerForm}/${s.bodyForm}`;
  return `d=${domain} s=${selector} c=${forms} a=${s.keyType}-${s.hash} b=${s.signature.length * 8}${rest.join('')}`;
}

/** `dkim=pass header.d=…` for an Authentication-Results: line; `overruled` is what an ACL made of it. */
export function authenticationResult(verdict: DkimVerdict, overruled: string | undefined): string {
  const { domain, identity, selector, keyType, hash } = verdict.signature;
  const plain = wordingOf(verdict).result.replace('#', String(verdict.keyLength));
  const result = overruled === undefined ? plain : `policy (${overruled})`;
  const fold = overruled === undefined && plain.includes('(') ? '\n\t\t' : '';
  const properties = [
    ['d', domain],
    ['i', identity],
    ['s', selector],
    ['a', `${keyType}-${hash}`],
  ].map(([name, value]) => (value === '' ? '' : ` header.${name}=${value}`));
  return `dkim=${result}${fold}${properties.join('')}`;
}
