/**
 * What a question to the DNS can come to, and how that is read from a name server's message: along the aliases to the
 * records, or to the proof that there are none. Pure; the asking is done by `dns.ts` beside it.
 */

import { lower } from '../lib/octets.ts';
import type { Message, WireRecord } from './dns-message.ts';
import { type AnyType, rawData, recordData, typeNumber } from './dns-records.ts';

/** What every answer of a name server tells beside the records. */
interface Provenance {
  /** Whether the server verified it by DNSSEC, and the settings let that count. */
  readonly secure: boolean;
  /** The zone that the server is authoritative for, when it says that it is (Exim spec 14, dns_trust_aa). */
  readonly authority?: string;
}

export interface Found<Data> extends Provenance {
  readonly outcome: 'found';
  readonly records: readonly Data[];
  /** The name that was asked for in the end: with a search domain, if one was needed. */
  readonly asked: string;
  /** The owners of the CNAME records that led on, in order; empty when there was none. */
  readonly aliases: readonly string[];
  /** The owner of the records. */
  readonly name: string;
  /** For how many more seconds this holds. */
  readonly ttl: number;
}

export interface Nothing extends Provenance {
  readonly outcome: 'nothing';
  /** The name does not exist, or has no records of this type. */
  readonly kind: 'nxdomain' | 'nodata';
}

export interface Again {
  readonly outcome: 'again';
  /**
   * No server answered; a server said that it cannot; or there is a fault that time may not mend: a loop of aliases, or
   * a server that does not understand the question. Exim's dns_again_means_nonexist does not cover faults.
   */
  readonly kind: 'silence' | 'refused' | 'fault';
  /** For logs. */
  readonly message: string;
}

export type DnsAnswer<Data> = Found<Data> | Nothing | Again;

export const noSuchName: Nothing = { outcome: 'nothing', kind: 'nxdomain', secure: false };

/** CNAME records that are followed for one question. */
const maxAliases = 10;
/** Seconds that a denial is believed at most. */
const maxDenial = 900;
const nameError = 3;

/** What one message says about a name. */
export type Finding =
  | { readonly outcome: 'records'; readonly name: string; readonly data: readonly unknown[]; readonly ttl: number }
  | { readonly outcome: 'nothing'; readonly kind: Nothing['kind']; readonly ttl: number }
  /** An alias whose target must be asked for. */
  | { readonly outcome: 'alias'; readonly name: string; readonly ttl: number }
  | { readonly outcome: 'loop' }
  | { readonly outcome: 'malformed' };

function denialOf(message: Message, name: string): WireRecord | undefined {
  const lowered = `.${lower(name)}`;
  return message.authorities.find(
    (record) => record.type === typeNumber('SOA') && (record.name === '' || lowered.endsWith(`.${lower(record.name)}`)),
  );
}

/** Without an SOA record a denial is not to be remembered (RFC 2308 §5). */
function denialTtl(message: Message, denial: WireRecord | undefined): number {
  const soa = denial && recordData(message, denial, 'SOA');
  return soa === undefined || denial === undefined ? 0 : Math.min(denial.ttl, soa.minimum, maxDenial);
}

/**
 * Reads the answer to a question for `name`. The aliases on the way are added to `aliases`. Records that do not lie on
 * the way are no answer and are passed over.
 */
export function interpret(message: Message, asked: string, type: AnyType, aliases: string[]): Finding {
  const number = typeNumber(type);
  let name = asked;
  let ttl = Number.POSITIVE_INFINITY;
  for (;;) {
    const lowered = lower(name);
    const own = message.answers.filter((record) => lower(record.name) === lowered);
    const records = own.filter((record) => record.type === number);
    if (records.length > 0) {
      for (const record of records) ttl = Math.min(ttl, record.ttl);
      const data = records.map((record) =>
        typeof type === 'number' ? rawData(message, record) : recordData(message, record, type),
      );
      return data.includes(undefined) ? { outcome: 'malformed' } : { outcome: 'records', name, data, ttl };
    }
    const alias = own.find((record) => record.type === typeNumber('CNAME'));
    if (alias === undefined) break;
    const target = recordData(message, alias, 'CNAME');
    if (target === undefined) return { outcome: 'malformed' };
    if (aliases.length >= maxAliases) return { outcome: 'loop' };
    aliases.push(name);
    if (aliases.some((one) => lower(one) === lower(target))) return { outcome: 'loop' };
    ttl = Math.min(ttl, alias.ttl);
    name = target;
  }
  const denial = denialOf(message, name);
  if (name !== asked && message.code !== nameError && denial === undefined) return { outcome: 'alias', name, ttl };
  return {
    outcome: 'nothing',
    kind: message.code === nameError ? 'nxdomain' : 'nodata',
    ttl: Math.min(ttl, denialTtl(message, denial)),
  };
}

/** The zone that the server claims, as Exim finds it for dns_trust_aa. */
export function authorityOf(message: Message): { readonly authority?: string } {
  if (!message.authoritative) return {};
  const type = typeNumber(message.answers.length > 0 ? 'NS' : 'SOA');
  const record = message.authorities.find((one) => one.type === type);
  return record === undefined ? {} : { authority: record.name };
}
