/** `$dkim_…`: what is known of the DKIM signature that an ACL is run for, or that is being made (Exim spec 58.2, 58.3). */

import type { KeyRecord } from '../origin/dkim-key.ts';
import type { DkimSignature } from '../origin/dkim-signature.ts';
import type { DkimVerdict } from '../origin/dkim-verdict.ts';
import type { Text } from '../safe/taint.ts';
import type { DkimFacts } from './content-facts.ts';
import type { Context } from './context.ts';
import type { VariableRow } from './variables.ts';

/** For numbers that a signature does not give. */
const unlimited = '9999999999999';

type Value = Text | string | number | undefined;

const row = (doc: string, read: (c: Context) => Value): VariableRow => ({ doc, tainted: true, read });
const fact = (doc: string, read: (facts: DkimFacts) => Value): VariableRow =>
  row(doc, (c) => (c.message?.dkim === undefined ? '' : read(c.message.dkim)));
/** Of the signature that the ACL is run for. */
const own = (doc: string, read: (s: DkimSignature) => Value, standard: Value = ''): VariableRow =>
  row(doc, (c) => {
    const verdict = c.message?.dkim?.verdict;
    return verdict === undefined ? standard : (read(verdict.signature) ?? standard);
  });
/** Of the signature that was last seen, even when the one that the ACL is run for has none. */
const last = (doc: string, read: (verdict: DkimVerdict) => Value, standard: Value = ''): VariableRow =>
  row(doc, (c) => {
    const seen = c.message?.dkim?.seen;
    return seen === undefined ? standard : read(seen);
  });
const key = (doc: string, read: (record: KeyRecord) => Value, standard: Value): VariableRow =>
  row(doc, (c) => {
    const record = c.message?.dkim?.verdict?.key;
    return record === undefined ? standard : read(record);
  });

export const dkimVariables = {
  dkim_verify_status: fact('result of DKIM verification', ({ status }) => status),
  dkim_verify_reason: fact('why DKIM verification failed', ({ reason }) => reason),
  dkim_algo: own('algorithm of a DKIM signature', ({ keyType, hash }) => `${keyType}-${hash}`),
  dkim_bodylength: own('signed length of the body', ({ bodyLength }) => bodyLength, unlimited),
  dkim_canon_body: own('canonicalization of the body', ({ bodyForm }) => bodyForm),
  dkim_canon_headers: own('canonicalization of the header lines', ({ headerForm }) => headerForm),
  dkim_copiedheaders: own('header lines copied into a signature', ({ copiedHeaders }) => copiedHeaders),
  dkim_created: own('time of a signature', ({ created }) => created, '0'),
  dkim_cur_signer: fact('signer being tested', ({ signer }) => signer),
  dkim_domain: row('domain of a signature', (c) => c.delivery?.dkim?.domain ?? c.message?.dkim?.seen?.signature.domain),
  dkim_expires: own('time at which a signature expires', ({ expires }) => expires, unlimited),
  dkim_headernames: own('names of the signed header lines', ({ headerNames }) => headerNames),
  dkim_identity: own('identity of a signature', ({ identity }) => identity),
  dkim_key_granularity: key('granularity of a key', ({ granularity }) => granularity, '*'),
  dkim_key_length: last('length of a key', ({ keyLength }) => keyLength, '0'),
  dkim_key_nosubdomains: key(
    'whether a key is for its domain alone',
    ({ forbidsSubdomains }) => (forbidsSubdomains ? '1' : '0'),
    '0',
  ),
  dkim_key_notes: key('notes of a key', ({ notes }) => notes, ''),
  dkim_key_srvtype: key('service type of a key', ({ serviceTypes }) => serviceTypes, '*'),
  dkim_key_testing: key('whether a key is being tried out', ({ isTest }) => (isTest ? '1' : '0'), '0'),
  dkim_selector: row(
    'selector of a signature',
    (c) => c.delivery?.dkim?.selector ?? c.message?.dkim?.seen?.signature.selector,
  ),
  dkim_signers: fact('domains and identities that signed', ({ signers }) => signers),
} as const satisfies Readonly<Record<string, VariableRow>>;
