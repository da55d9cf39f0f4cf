/**
 * Names and numbers as they stand in DNS messages (RFC 1035 §3.1, §4.1.4), for `dns-message.ts` and `dns-records.ts`.
 * Everything that is read is hostile: a name has a bounded length, a compression pointer leads only backwards and only
 * so often, and nothing reaches beyond the end it was given.
 *
 * Names are text as the C library writes them: printable ASCII, where `\.` is a dot within a label and `\233` is an
 * octet that cannot be printed. So a label can pretend neither to be two nor to be a control character in a log.
 */

const maxNameOctets = 255;
const maxLabel = 63;
const maxPointers = 127;
const dot = 0x2e;
const backslash = 0x5c;

export class MalformedMessage extends Error {}

/** The octets of a name without its final dot, or nothing when it cannot be one in the DNS. `''` and `.` are the root. */
export function nameOctets(name: string): Uint8Array | undefined {
  const text = name.endsWith('.') ? name.slice(0, -1) : name;
  if (text === '') return new Uint8Array(1);
  if (text.length > maxNameOctets - 2) return undefined;
  const octets = new Uint8Array(text.length + 2);
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const octet = i < text.length ? text.charCodeAt(i) : dot;
    if (octet !== dot) {
      if (octet <= 0x20 || octet >= 0x7f || octet === backslash) return undefined;
      octets[i + 1] = octet;
      continue;
    }
    const length = i - start;
    if (length === 0 || length > maxLabel) return undefined;
    octets[start] = length;
    start = i + 1;
  }
  return octets;
}

/** One label as text. */
function labelText(octets: Buffer, from: number, to: number): string {
  const label = octets.toString('latin1', from, to);
  if (/^[\w-]*$/.test(label)) return label;
  return label.replace(/[^!-~]|["$().;@\\]/g, (character) =>
    character > ' ' && character < '\x7f' ? `\\${character}` : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  );
}

/** Reads forwards through a part of a message; throws `MalformedMessage` at its end. */
export class WireReader {
  readonly #octets: Buffer;
  readonly #end: number;
  at: number;

  constructor(octets: Buffer, at: number, end: number) {
    this.#octets = octets;
    this.at = at;
    this.#end = end;
  }

  /** How many octets are left. */
  get left(): number {
    return this.#end - this.at;
  }

  #step(count: number): number {
    if (this.left < count) throw new MalformedMessage('a record goes beyond its end');
    this.at += count;
    return this.at - count;
  }

  byte(): number {
    return this.#octets.readUInt8(this.#step(1));
  }

  short(): number {
    return this.#octets.readUInt16BE(this.#step(2));
  }

  long(): number {
    return this.#octets.readUInt32BE(this.#step(4));
  }

  take(count: number): Buffer {
    const from = this.#step(count);
    return this.#octets.subarray(from, from + count);
  }

  /** A name, which may go on earlier in the message. The root is `''`. */
  name(): string {
    const labels: string[] = [];
    let total = 1;
    let pointers = 0;
    let at = this.at;
    const end = this.#end;
    let after: number | undefined;
    for (;;) {
      if (at >= end) throw new MalformedMessage('a name has no end');
      const length = this.#octets[at] ?? 0;
      if (length === 0) break;
      if (length <= maxLabel) {
        total += length + 1;
        if (total > maxNameOctets || at + 1 + length >= end) throw new MalformedMessage('a name is too long');
        labels.push(labelText(this.#octets, at + 1, at + 1 + length));
        at += length + 1;
      } else {
        if (length < 0xc0 || at + 1 >= end) throw new MalformedMessage('a label is of no known kind');
        const target = ((length & 0x3f) << 8) | (this.#octets[at + 1] ?? 0);
        if (target >= at || ++pointers > maxPointers) throw new MalformedMessage('a name leads nowhere');
        after ??= at + 2;
        at = target;
      }
    }
    this.at = after ?? at + 1;
    return labels.join('.');
  }
}
