/**
 * DNS messages (RFC 1035 §4.1, RFC 6891): writing questions, telling whether an answer belongs to one, and reading it.
 * What breaks a rule anywhere is `undefined`, never a guess; the number of records is bounded.
 */

import { MalformedMessage, WireReader } from './dns-wire.ts';

/** More than any use of the DNS for mail needs; 64 KB could hold 5957. */
const maxRecords = 1024;
const optType = 41;
const classIn = 1;

/** Payload that we accept by UDP: what passes everywhere without fragments (DNS flag day 2020). */
const udpPayload = 1232;

export interface Query {
  readonly id: number;
  readonly name: Uint8Array;
  readonly type: number;
  /** Whether to speak of EDNS, and with `dnssec` to ask for signatures (the DO bit). */
  readonly edns: boolean;
  readonly dnssec: boolean;
  /** Asks the server to say whether it verified the answer (RFC 6840 §5.7). */
  readonly wantAuthentic: boolean;
}

/** A recursive question. */
export function writeQuery(query: Query): Buffer {
  const { name } = query;
  const octets = Buffer.alloc(12 + name.length + 4 + (query.edns ? 11 : 0));
  octets.writeUInt16BE(query.id, 0);
  octets.writeUInt16BE(0x0100 | (query.wantAuthentic ? 0x20 : 0), 2);
  octets.writeUInt16BE(1, 4);
  octets.writeUInt16BE(query.edns ? 1 : 0, 10);
  octets.set(name, 12);
  const end = octets.writeUInt16BE(classIn, octets.writeUInt16BE(query.type, 12 + name.length));
  if (query.edns) {
    octets.writeUInt16BE(optType, end + 1);
    octets.writeUInt16BE(udpPayload, end + 3);
    octets.writeUInt16BE(query.dnssec ? 0x8000 : 0, end + 7);
  }
  return octets;
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}

/**
 * Whether `reply` answers `query`: the same id and question. A server that rejects a question may leave it out, as
 * those do that do not know EDNS.
 */
export function isReplyTo(query: Buffer, reply: Buffer): boolean {
  if (reply.length < 12 || reply.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  const flags = reply.readUInt16BE(2);
  if ((flags & 0xf800) !== 0x8000) return false;
  const questions = reply.readUInt16BE(4);
  if (questions === 0) return (flags & 15) !== 0;
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  end += 5;
  if (questions !== 1 || reply.length < end) return false;
  for (let i = 12; i < end; i++) if (lower(reply[i] ?? 0) !== lower(query[i] ?? 0)) return false;
  return true;
}

/** Whether the rest of the answer is to be had by TCP. The octets are those of a reply. */
export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt16BE(2) & 0x0200) !== 0;
}

export interface WireRecord {
  readonly name: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  /** Where in the message its data lies. */
  readonly from: number;
  readonly to: number;
}

export interface Message {
  readonly octets: Buffer;
  /** The response code with its extension by EDNS. */
  readonly code: number;
  readonly authoritative: boolean;
  readonly recursive: boolean;
  /** The AD bit: the server says that it verified the answer. */
  readonly authentic: boolean;
  readonly answers: readonly WireRecord[];
  readonly authorities: readonly WireRecord[];
}

function readRecords(reader: WireReader, count: number): { readonly records: WireRecord[]; readonly extended: number } {
  const records: WireRecord[] = [];
  let extended = 0;
  for (let i = 0; i < count; i++) {
    const name = reader.name();
    const type = reader.short();
    const recordClass = reader.short();
    const ttl = reader.long();
    const from = reader.at + 2;
    reader.take(reader.short());
    if (type === optType) extended = ttl >>> 24;
    else if (recordClass === classIn)
      records.push({ name, type, ttl: ttl > 0x7fffffff ? 0 : ttl, from, to: reader.at });
  }
  return { records, extended };
}

/** Reads a whole message; nothing when it breaks a rule anywhere. */
export function readMessage(octets: Buffer): Message | undefined {
  try {
    const reader = new WireReader(octets, 2, octets.length);
    const flags = reader.short();
    const [questions, answerCount, authorityCount, additionalCount] = [0, 0, 0, 0].map(() => reader.short());
    if (answerCount === undefined || authorityCount === undefined || additionalCount === undefined) return undefined;
    if (answerCount + authorityCount + additionalCount > maxRecords || (questions ?? 0) > 1) return undefined;
    if (questions === 1) {
      reader.name();
      reader.take(4);
    }
    const { records: answers } = readRecords(reader, answerCount);
    const { records: authorities } = readRecords(reader, authorityCount);
    const { extended } = readRecords(reader, additionalCount);
    return {
      octets,
      code: (extended << 4) | (flags & 15),
      authoritative: (flags & 0x0400) !== 0,
      recursive: (flags & 0x0080) !== 0,
      authentic: (flags & 0x0020) !== 0,
      answers,
      authorities,
    };
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}
