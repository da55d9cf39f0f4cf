/**
 * What the domain in From: wants done with a message that it cannot be proved to come from (RFC 7489; Exim spec 58.6).
 * SPF and DKIM were checked before; here it is asked whether what they vouch for is that domain.
 */

import { lower } from '../lib/octets.ts';
import type { Resolver } from '../net/dns.ts';
import { asciiDomain, type PublicSuffixes } from './public-suffixes.ts';
import { parseTags, withoutBlanks } from './tags.ts';

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';
export type DmarcStatus = 'accept' | 'reject' | 'quarantine' | 'none' | 'norecord' | 'nofrom' | 'temperror' | 'off';

export interface DmarcQuestion {
  /** The one domain in From:; nothing when there is none, or more than one. */
  readonly from: string | undefined;
  /** The domain that SPF vouches for. */
  readonly spf: string | undefined;
  /** Domains whose DKIM signatures are right. */
  readonly dkim: readonly string[];
}

export interface DmarcRecord {
  readonly policy: DmarcPolicy;
  /** For names below the domain that has the record. */
  readonly subdomainPolicy: DmarcPolicy | undefined;
  readonly strictDkim: boolean;
  readonly strictSpf: boolean;
  readonly percent: number;
  /** Addresses for reports about many messages, and about single ones. */
  readonly aggregate: string;
  readonly forensic: string;
}

export interface DmarcAnswer {
  readonly status: DmarcStatus;
  readonly from: string;
  /** The domain whose record was found, or else was looked for last. */
  readonly usedDomain: string;
  readonly record: DmarcRecord | undefined;
  readonly alignedSpf: boolean;
  readonly alignedDkim: boolean;
}

const policies: ReadonlyMap<string, DmarcPolicy> = new Map([
  ['none', 'none'],
  ['quarantine', 'quarantine'],
  ['reject', 'reject'],
]);

/** Octets of a record. */
const longest = 4096;

/** Nothing when the text is no DMARC record, or has no policy (RFC 7489 §6.3, §6.6.3). */
export function parseDmarcRecord(text: string): DmarcRecord | undefined {
  const tags = /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text) ? parseTags(text) : undefined;
  if (tags === undefined) return undefined;
  const value = (name: string): string => withoutBlanks(tags.get(name) ?? '');
  const given = policies.get(lower(value('p')));
  // who wants reports has thought of something
  const policy = given ?? (value('rua') === '' ? undefined : 'none');
  if (policy === undefined) return undefined;
  return {
    policy,
    subdomainPolicy: policies.get(lower(value('sp'))),
    strictDkim: lower(value('adkim')) === 's',
    strictSpf: lower(value('aspf')) === 's',
    percent: Math.min(Number(/^\d{1,3}$/.exec(value('pct'))?.[0] ?? '100'), 100),
    aggregate: value('rua'),
    forensic: value('ruf'),
  };
}

type RecordAnswer = DmarcRecord | 'none' | 'again';

async function recordOf(domain: string, resolver: Pick<Resolver, 'resolve'>): Promise<RecordAnswer> {
  const answer = await resolver.resolve(`_dmarc.${domain}`, 'TXT');
  if (answer.outcome === 'again') return 'again';
  if (answer.outcome === 'nothing') return 'none';
  const texts = answer.records.map((strings) => strings.join('')).filter((text) => text.length <= longest);
  const records = texts.filter((text) => /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text));
  // several are as good as none
  return (records.length === 1 ? parseDmarcRecord(records[0] ?? '') : undefined) ?? 'none';
}

const nothing = { usedDomain: '', record: undefined, alignedSpf: false, alignedDkim: false } as const;

/** The answer of a check that did not take place. */
export const dmarcOff: DmarcAnswer = { ...nothing, status: 'off', from: '' };

export async function checkDmarc(
  { from: author, spf, dkim }: DmarcQuestion,
  suffixes: PublicSuffixes,
  resolver: Pick<Resolver, 'resolve'>,
): Promise<DmarcAnswer> {
  if (author === undefined) return { ...nothing, status: 'nofrom', from: '' };
  const from = asciiDomain(author);
  const organization = suffixes.organization(from);
  let usedDomain = from;
  let record = await recordOf(from, resolver);
  if (record === 'none' && organization !== from) {
    usedDomain = organization;
    record = await recordOf(organization, resolver);
  }
  if (record === 'again') return { ...nothing, status: 'temperror', from, usedDomain };
  if (record === 'none') return { ...nothing, status: 'norecord', from, usedDomain };
  const isAligned = (domain: string, isStrict: boolean): boolean => {
    const other = asciiDomain(domain);
    return other === from || (!isStrict && suffixes.organization(other) === organization);
  };
  const { strictSpf, strictDkim } = record;
  const alignedSpf = spf !== undefined && isAligned(spf, strictSpf);
  const alignedDkim = dkim.some((domain) => isAligned(domain, strictDkim));
  const policy = usedDomain === from ? record.policy : (record.subdomainPolicy ?? record.policy);
  const status = alignedSpf || alignedDkim ? 'accept' : policy;
  return { status, from, usedDomain, record, alignedSpf, alignedDkim };
}

/** Whether an address at `destination` may be sent reports about `from`: a stranger must have agreed (RFC 7489 §7.1). */
export async function takesReports(
  from: string,
  destination: string,
  suffixes: PublicSuffixes,
  resolver: Pick<Resolver, 'resolve'>,
): Promise<boolean> {
  if (suffixes.organization(destination) === suffixes.organization(from)) return true;
  const answer = await resolver.resolve(`${from}._report._dmarc.${asciiDomain(destination)}`, 'TXT');
  return answer.outcome === 'found' && answer.records.some((strings) => strings.join('').startsWith('v=DMARC1'));
}

const texts: Readonly<Record<DmarcStatus, string>> = {
  accept: 'Accept',
  reject: 'Reject',
  quarantine: 'Quarantine',
  none: 'None',
  norecord: 'No DMARC record',
  nofrom: 'No From: domain found',
  temperror: 'No DMARC record could be looked up',
  off: 'DMARC was not checked',
};

/** `$dmarc_status_text`. */
export function dmarcText({ status }: DmarcAnswer): string {
  return texts[status];
}

/** `dmarc=pass …` for an Authentication-Results: line; nothing when it was not checked. */
export function dmarcResult({ status, record, from }: DmarcAnswer): string | undefined {
  if (status === 'off') return undefined;
  if (status === 'nofrom') return 'dmarc=permerror (no From: domain)';
  const result =
    status === 'accept' ? 'pass' : status === 'norecord' ? 'none' : status === 'temperror' ? status : 'fail';
  const policy = record === undefined ? '' : ` (p=${record.policy}${sub(record)})`;
  return `dmarc=${result}${policy} header.from=${from}`;
}

const sub = ({ subdomainPolicy }: DmarcRecord): string =>
  subdomainPolicy === undefined ? '' : ` sp=${subdomainPolicy}`;
