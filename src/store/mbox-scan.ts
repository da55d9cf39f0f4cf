/**
 * Finds the messages of a mailbox file (mbox): where each begins and ends, how many octets it has when it is sent, and a
 * digest of it by which it is known. The file is read once, piece by piece; only places and digests are kept.
 *
 * A message begins with a line `From …` that has a time in it. What is escaped as `>From ` stays as it is. The empty line
 * before the next message, which belongs to the format, is not part of a message.
 */

import { crypto } from '../lib/crypto.ts';
import * as files from '../safe/files.ts';
import { mostMessages, pieceSize } from './mailbox.ts';
import { Pauses } from './pause.ts';
import { WireCount } from './wire.ts';

export interface MboxMessage {
  /** Where its From line begins, its header begins, and the next message begins. */
  readonly from: number;
  readonly start: number;
  readonly next: number;
  /** Octets from `start` on, without the empty line at its end. */
  readonly size: number;
  /** As it is sent. */
  readonly octets: number;
  readonly digest: string;
}

/** The file is no mailbox. */
export class NoMailbox extends Error {}

const separator = Buffer.from('\nFrom ');
/** The longest From line. */
const longestFrom = 1000;
/** Header octets that are looked through for lines that readers change. */
const longestHeader = 64 * 1024;
const lf = 0x0a;

/** Lines that programs add to a message or change in it while it lies in a mailbox; they do not make it another one. */
const changing =
  /^(?:Status|X-Status|X-UID|X-Keywords|X-IMAP|X-IMAPbase|Content-Length|Lines):[^\n]*\n(?:[ \t][^\n]*\n)*/gim;

/** One message while it is read. */
class Reading {
  readonly #count = new WireCount();
  readonly #hash = crypto().createHash('sha256');
  #header: string | undefined = '';
  /** The last octets, which may be the empty line behind the message. */
  #tail: Buffer = Buffer.alloc(0);
  #size = 0;

  take(octets: Buffer): void {
    if (octets.length === 0) return;
    this.#count.take(octets);
    this.#size += octets.length;
    const all = this.#tail.length === 0 ? octets : Buffer.concat([this.#tail, octets]);
    const end = Math.max(all.length - 3, 0);
    this.#digest(all.subarray(0, end));
    this.#tail = Buffer.from(all.subarray(end));
  }

  #digest(octets: Buffer): void {
    if (this.#header === undefined) {
      this.#hash.update(octets);
      return;
    }
    this.#header += octets.toString('latin1');
    const end = /\n\r?\n/.exec(this.#header);
    if (end === null && this.#header.length < longestHeader) return;
    this.#endHeader(Math.min(end === null ? longestHeader : end.index + end[0].length, longestHeader));
  }

  #endHeader(length: number): void {
    const text = this.#header ?? '';
    this.#header = undefined;
    this.#hash.update(text.slice(0, length).replace(changing, ''), 'latin1');
    this.#hash.update(text.slice(length), 'latin1');
  }

  end(from: number, start: number, next: number): MboxMessage {
    // before the first octet of the message there is a line end, too
    const tail = `${this.#size === this.#tail.length ? '\n' : ''}${this.#tail.toString('latin1')}`;
    const empty = /(?<=\n)\r?\n$/.exec(tail)?.[0].length ?? 0;
    const size = this.#size - empty;
    this.#digest(this.#tail.subarray(0, this.#tail.length - empty));
    if (this.#header !== undefined) this.#endHeader(this.#header.length);
    const octets = this.#count.octets - (empty > 0 ? 2 : 0);
    return { from, start, next, size, octets, digest: this.#hash.digest('base64url').slice(0, 22) };
  }
}

const looksLikeFrom = (line: string): boolean => line.startsWith('From ') && /\d:\d\d/.test(line);

/** The messages from `base`, where one begins, to `end`. @throws NoMailbox, and the system's errors */
export async function scanMbox(file: files.Descriptor, end: number, base = 0): Promise<MboxMessage[]> {
  let size = end;
  const found: MboxMessage[] = [];
  const pauses = new Pauses();
  const buffer = Buffer.allocUnsafe(pieceSize);
  /** Octets of the buffer that are filled; `base` is where its first one stands in the file. */
  let filled = 0;
  let reading: Reading | undefined;
  let [from, start] = [0, 0];
  /** Octets of the buffer that were dealt with. */
  let at = 0;
  for (;;) {
    if (base + filled < size) {
      const room = buffer.subarray(filled, Math.min(buffer.length, filled + size - base - filled));
      const count = await files.readLater(file, room, base + filled);
      // somebody has made it shorter: what was there is all there is
      if (count === 0) size = base + filled;
      filled += count;
    }
    const atEnd = base + filled >= size;
    if (reading === undefined) {
      at = firstLine(buffer.subarray(0, filled));
      const line = fromLine(buffer, at, filled);
      if (line === undefined) {
        if (at === filled && atEnd) return found;
        throw new NoMailbox('it does not begin with a From line');
      }
      [from, start] = [base + at, base + line];
      at = line;
      reading = new Reading();
    }
    // the first line of a message may be the next From line
    let search = Math.max(at - 1, 0);
    for (;;) {
      const hit = buffer.subarray(0, filled).indexOf(separator, search);
      if (hit < 0) break;
      const behind = fromLine(buffer, hit + 1, filled);
      if (behind === undefined) {
        if (!atEnd && filled - hit < longestFrom && !buffer.subarray(hit + 1, filled).includes(lf)) break;
        search = hit + 1;
        continue;
      }
      reading.take(buffer.subarray(at, Math.max(hit + 1, at)));
      found.push(reading.end(from, start, base + hit + 1));
      if (found.length >= mostMessages) return found;
      [from, start] = [base + hit + 1, base + behind];
      at = behind;
      search = behind - 1;
      reading = new Reading();
    }
    if (atEnd) {
      reading.take(buffer.subarray(at, filled));
      found.push(reading.end(from, start, base + filled));
      return found;
    }
    // a From line may begin in what is kept; the line end in front of it is kept, too
    const keep = Math.max(at, filled - longestFrom - 1);
    reading.take(buffer.subarray(at, keep));
    buffer.copy(buffer, 0, keep - 1, filled);
    base += keep - 1;
    filled -= keep - 1;
    at = 1;
    await pauses.pause();
  }
}

/** Empty lines may stand before the first message. */
function firstLine(octets: Buffer): number {
  let at = 0;
  while (at < octets.length && (octets[at] === lf || octets[at] === 0x0d)) at++;
  return at;
}

/** Where the line behind a From line begins; nothing when there is none at `at`. */
function fromLine(buffer: Buffer, at: number, filled: number): number | undefined {
  const end = buffer.subarray(at, Math.min(filled, at + longestFrom)).indexOf(lf);
  if (end < 0) return undefined;
  return looksLikeFrom(buffer.toString('latin1', at, at + end)) ? at + end + 1 : undefined;
}
