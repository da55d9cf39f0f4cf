/**
 * Whether a domain says that a host may send its mail (RFC 7208; Exim spec 58.4). The library evaluates records; limits,
 * words and texts are as Exim has them with libspf2.
 */

import { lower } from '../lib/octets.ts';
import type { Resolver } from '../net/dns.ts';
import {
  type LibraryResolver,
  libraryResolver,
  loadSpf,
  loadSpfMacro,
  loadSpfSyntax,
  type SpfResponse,
} from './library.ts';

export interface SpfQuestion {
  /** The sending host. */
  readonly ip: string;
  /** Empty for a bounce: the name that the host calls itself is asked about then. */
  readonly sender: string;
  readonly helo: string;
  /** Our own name. */
  readonly hostname: string;
  /** The record for domains that have none. */
  readonly guess?: string | undefined;
  /** What is told to a client whose mail is refused, with macros in it. */
  readonly commentTemplate: string;
}

/** `(invalid)`: the record of the domain itself cannot be had or read. */
const results = ['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror', 'temperror', '(invalid)'] as const;
export type SpfResult = (typeof results)[number];

export interface SpfAnswer {
  readonly result: SpfResult;
  /** The result is that of the guessed record. */
  readonly isGuessed: boolean;
  /** What was asked about. */
  readonly identity: 'mailfrom' | 'helo';
  readonly domain: string;
  readonly headerComment: string;
  /** The whole header line, without a line end. */
  readonly received: string;
  readonly smtpComment: string;
}

/** Terms that ask the DNS (RFC 7208 §4.6.4), also those whose answer is that there is nothing. */
const mostLookups = 10;
/** Milliseconds. */
const patience = 20_000;

/** The record that the domain itself has, as it is found on the way. */
interface TopRecord {
  state: 'unknown' | 'unavailable' | 'none' | 'malformed' | 'fine';
}

export async function checkSpf(question: SpfQuestion, resolver: Pick<Resolver, 'resolve'>): Promise<SpfAnswer> {
  const { ip, helo, hostname, guess } = question;
  const sender = question.sender === '' ? `postmaster@${helo}` : question.sender;
  const domain = sender.slice(sender.lastIndexOf('@') + 1);
  const ask = libraryResolver(resolver);
  const evaluate = async (record?: string): Promise<{ result: SpfResult; response: SpfResponse }> => {
    const top: TopRecord = { state: 'unknown' };
    const response = await loadSpf().spf({
      sender,
      ip,
      helo,
      mta: hostname,
      resolver: observed(ask, domain, record, top),
      strict: true,
      maxResolveCount: mostLookups,
      maxVoidCount: mostLookups,
      maxElapsedTime: patience,
    });
    return { result: resultOf(response, top), response };
  };
  let found = await evaluate();
  const isGuessed = found.result === 'none' && guess !== undefined;
  if (isGuessed) found = await evaluate(guess);
  const { result, response } = found;
  const why = permanentReason(response, sender);
  const headerComment = commentFor(result, { hostname, domain, ip, why });
  const parts = `client-ip=${ip}; envelope-from=${sender}; helo=${helo};`;
  return {
    result,
    isGuessed,
    identity: question.sender === '' ? 'helo' : 'mailfrom',
    domain,
    headerComment,
    received: headerComment === '' ? '' : `Received-SPF: ${result} (${headerComment}) ${parts}`,
    smtpComment: ['fail', 'softfail', 'neutral'].includes(result)
      ? `${explanation(question, sender, domain)} : Reason: ${reasonOf(result, response)}`
      : '',
  };
}

/** Notes what the domain itself has, and gives it the guessed record in its place. */
function observed(ask: LibraryResolver, domain: string, record: string | undefined, top: TopRecord): LibraryResolver {
  return async (name, type) => {
    if (type !== 'TXT' || lower(name) !== lower(domain)) return ask(name, type);
    if (record !== undefined) {
      top.state = 'fine';
      return [[record]];
    }
    try {
      const records = (await ask(name, type)) as readonly (readonly string[])[];
      if (top.state === 'unknown') top.state = stateOf(records.map((strings) => strings.join('')));
      return records;
    } catch (error) {
      const isAbsent = error instanceof Error && 'code' in error && error.code !== 'ETIMEOUT';
      if (top.state === 'unknown') top.state = isAbsent ? 'none' : 'unavailable';
      throw error;
    }
  };
}

function stateOf(texts: readonly string[]): TopRecord['state'] {
  const [record] = texts.filter((text) => /^v=spf1(?: |$)/i.test(text));
  if (record === undefined) return 'none';
  const terms = record.split(' ').filter((term) => term !== '');
  return loadSpfSyntax().validateTerms(terms.slice(1)) ? 'malformed' : 'fine';
}

function resultOf({ status }: SpfResponse, { state }: TopRecord): SpfResult {
  const found = results.find((word) => word === status.result) ?? 'temperror';
  if (state === 'unavailable' && found === 'temperror') return '(invalid)';
  return state === 'malformed' && found === 'permerror' ? '(invalid)' : found;
}

interface Facts {
  readonly hostname: string;
  readonly domain: string;
  readonly ip: string;
  /** Why a record cannot be evaluated. */
  readonly why: string;
}

function commentFor(result: SpfResult, { hostname, domain, ip, why }: Facts): string {
  const texts: Readonly<Record<SpfResult, string>> = {
    pass: `domain of ${domain} designates ${ip} as permitted sender`,
    fail: `domain of ${domain} does not designate ${ip} as permitted sender`,
    softfail: `transitioning domain of ${domain} does not designate ${ip} as permitted sender`,
    neutral: `${ip} is neither permitted nor denied by domain of ${domain}`,
    none: `domain of ${domain} does not provide an SPF record`,
    permerror: `error in processing during lookup of domain of ${domain}: ${why}`,
    temperror: `encountered temporary error during SPF processing of domain of ${domain}`,
    '(invalid)': '',
  };
  return texts[result] === '' ? '' : `${hostname}: ${texts[result]}`;
}

/** Why a record cannot be evaluated, in the words of libspf2 where it has some. */
function permanentReason({ status }: SpfResponse, sender: string): string {
  const text = (status.comment ?? '').split(`during lookup of ${sender}: `).at(-1) ?? '';
  if (text.startsWith('no SPF records found')) return 'Could not find a valid SPF record';
  if (text.startsWith('multiple SPF records found')) return 'Multiple SPF or TXT records for domain.';
  return text;
}

/** Whether a term of the record decided, or none did. */
function reasonOf(result: SpfResult, { rr = '' }: SpfResponse): 'mechanism' | 'default' {
  return result === 'neutral' && !rr.includes('?') ? 'default' : 'mechanism';
}

function explanation(
  { ip, helo, hostname: mta, commentTemplate }: SpfQuestion,
  sender: string,
  domain: string,
): string {
  try {
    return loadSpfMacro()(commentTemplate, { sender, ip, helo, mta, domain });
  } catch {
    // as libspf2 does with a template that makes no sense
    return loadSpfMacro()(`Please see http://www.openspf.org/Why?id=%{S}&ip=%{C}&receiver=${mta}`, {
      sender,
      ip,
      helo,
      mta,
      domain,
    });
  }
}
