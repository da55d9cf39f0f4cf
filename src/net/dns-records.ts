/** The data of DNS records: which types there are, and how each is read from a message. One table. */

import { formatIp } from './address.ts';
import type { Message, WireRecord } from './dns-message.ts';
import { MalformedMessage, WireReader } from './dns-wire.ts';

export interface MailExchange {
  readonly preference: number;
  /** The host's name; `''` is the root, which says that there is no mail service (RFC 7505). */
  readonly exchange: string;
}

export interface ServiceLocation {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface StartOfAuthority {
  readonly server: string;
  readonly mailbox: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** For how many seconds it may be remembered that something does not exist (RFC 2308). */
  readonly minimum: number;
}

/** RFC 6698. */
export interface CertificateAssociation {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly data: Uint8Array;
}

/** What the records of each type hold. Addresses are in the form of `formatIp`; names are as `dns-wire` tells. */
export interface RecordData {
  readonly A: string;
  readonly AAAA: string;
  readonly CNAME: string;
  readonly MX: MailExchange;
  readonly NS: string;
  readonly PTR: string;
  readonly SOA: StartOfAuthority;
  readonly SPF: readonly string[];
  readonly SRV: ServiceLocation;
  readonly TLSA: CertificateAssociation;
  /** The strings of one record, as byte strings. */
  readonly TXT: readonly string[];
}

export type RecordType = keyof RecordData;

/** A type by its name, or by its number, whose data come as octets. */
export type AnyType = RecordType | number;
export type DataOf<T extends AnyType> = T extends RecordType ? RecordData[T] : Uint8Array;

function strings(reader: WireReader): string[] {
  const found: string[] = [];
  while (reader.left > 0) found.push(reader.take(reader.byte()).toString('latin1'));
  return found;
}

const name = (reader: WireReader): string => reader.name();

const kinds: { readonly [T in RecordType]: { readonly number: number; read(reader: WireReader): RecordData[T] } } = {
  A: { number: 1, read: (reader) => formatIp(reader.take(4)) },
  AAAA: { number: 28, read: (reader) => formatIp(reader.take(16)) },
  CNAME: { number: 5, read: name },
  MX: { number: 15, read: (reader) => ({ preference: reader.short(), exchange: reader.name() }) },
  NS: { number: 2, read: name },
  PTR: { number: 12, read: name },
  SOA: {
    number: 6,
    read: (reader) => ({
      server: reader.name(),
      mailbox: reader.name(),
      serial: reader.long(),
      refresh: reader.long(),
      retry: reader.long(),
      expire: reader.long(),
      minimum: reader.long(),
    }),
  },
  SPF: { number: 99, read: strings },
  SRV: {
    number: 33,
    read: (reader) => ({
      priority: reader.short(),
      weight: reader.short(),
      port: reader.short(),
      target: reader.name(),
    }),
  },
  TLSA: {
    number: 52,
    read: (reader) => ({
      usage: reader.byte(),
      selector: reader.byte(),
      matchingType: reader.byte(),
      data: Uint8Array.from(reader.take(reader.left)),
    }),
  },
  TXT: { number: 16, read: strings },
};

/** The number of a type in messages (RFC 1035 §3.2.2 and later). */
export function typeNumber(type: AnyType): number {
  return typeof type === 'number' ? type : kinds[type].number;
}

/** The data of one record, or nothing when they are not what its type demands. */
export function recordData<T extends RecordType>(
  message: Message,
  record: WireRecord,
  type: T,
): RecordData[T] | undefined {
  const reader = new WireReader(message.octets, record.from, record.to);
  try {
    const data = kinds[type].read(reader);
    return reader.left === 0 ? data : undefined;
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}

/** The data of one record as octets; names in them may be compressed and of use only within their message. */
export function rawData(message: Message, record: WireRecord): Uint8Array {
  return Uint8Array.from(message.octets.subarray(record.from, record.to));
}
