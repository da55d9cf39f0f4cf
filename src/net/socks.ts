/** Asks a SOCKS5 proxy to connect to a host (RFC 1928, RFC 1929). */

import * as clock from '../lib/clock.ts';
import { parseIp } from './address.ts';
import type { ByteStream } from './byte-stream.ts';

export interface SocksRequest {
  /** What the connection is to be made to: an IP address. */
  readonly address: string;
  readonly port: number;
  /** Name and password, as octets; nothing to log in without. */
  readonly login: { readonly name: string; readonly password: string } | undefined;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Told of what is said, and by whom. */
  trace(direction: '>>' | '<<', octets: Buffer): void;
}

/** `code` is the symbol of a system error, as the proxy's answer means it; `text` what the log should have besides. */
export type SocksOutcome =
  | { readonly outcome: 'through' }
  | { readonly outcome: 'refused'; readonly code: ErrorCode; readonly text?: string | undefined };

export type ErrorCode = keyof typeof import('node:os').constants.errno;

const version = 5;
const methods = { none: 0, login: 2 } as const;
const loginVersion = 1;
const connectCommand = 1;

/** Octets of an address by its type; that of a name stands in front of it. */
const sizes: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [4, 16],
]);
const nameType = 3;

/** What the answers of a proxy mean. */
const answers: readonly (ErrorCode | undefined)[] = [
  undefined,
  ...([
    'EIO',
    'EACCES',
    'ENETUNREACH',
    'EHOSTUNREACH',
    'ECONNREFUSED',
    'ECANCELED',
    'EOPNOTSUPP',
    'EAFNOSUPPORT',
  ] as const),
];

const refused = (code: ErrorCode, text?: string): SocksOutcome => ({ outcome: 'refused', code, text });

/** The proxy went away, or did not answer in time. */
class Silence extends Error {}

export async function goThrough(stream: ByteStream, request: SocksRequest): Promise<SocksOutcome> {
  try {
    return await negotiate(new Talk(stream, request), request);
  } catch (error) {
    if (!(error instanceof Silence)) throw error;
    return refused('ECONNABORTED');
  }
}

async function negotiate(talk: Talk, { login, address, port }: SocksRequest): Promise<SocksOutcome> {
  await talk.say([version, 1, login === undefined ? methods.none : methods.login]);
  const [spoken, method] = await talk.hear(2);
  if (spoken !== version) return refused('EPROTO');
  if (method === methods.login) {
    const { name, password } = login ?? { name: '', password: '' };
    await talk.say([loginVersion, ...counted(name), ...counted(password)]);
    const [, status] = await talk.hear(2);
    if (status !== 0) return refused('EACCES', 'socks auth failed');
  } else if (method !== methods.none) return refused('EPROTO', `Unrecognised socks auth method ${method}`);
  const octets = parseIp(address) ?? [];
  await talk.say([version, connectCommand, 0, octets.length === 4 ? 1 : 4, ...octets, port >> 8, port & 0xff]);
  const [answering, answer = 0, , type = 0] = await talk.hear(4);
  if (answering !== version) return refused('EPROTO');
  if (answer !== 0) return refused(answers[answer] ?? 'EPROTO');
  const size = type === nameType ? (await talk.hear(1))[0] : sizes.get(type);
  if (size === undefined) return refused('EPROTO');
  // from where it has connected does not matter
  await talk.hear(size + 2);
  return { outcome: 'through' };
}

/** Octets with their number in front, as far as one octet can tell it. */
function counted(text: string): number[] {
  const octets = Buffer.from(text.slice(0, 255), 'latin1');
  return [octets.length, ...octets];
}

/** What goes to and fro. Nothing behind an answer is read: it belongs to the host. */
class Talk {
  readonly #stream: ByteStream;
  readonly #request: SocksRequest;
  readonly #until: number;

  constructor(stream: ByteStream, request: SocksRequest) {
    this.#stream = stream;
    this.#request = request;
    this.#until = clock.elapsed() + request.timeout;
  }

  get #left(): number {
    return Math.max(this.#until - clock.elapsed(), 1);
  }

  async say(octets: readonly number[]): Promise<void> {
    const data = Buffer.from(octets);
    this.#request.trace('>>', data);
    const written = await this.#stream.write(data, this.#left);
    if (written.outcome !== 'written') throw new Silence();
  }

  async hear(count: number): Promise<Buffer> {
    let heard = Buffer.alloc(0);
    while (heard.length < count) {
      const read = await this.#stream.read(this.#left);
      if (read.outcome !== 'octets') throw new Silence();
      heard = Buffer.concat([heard, read.octets]);
    }
    if (heard.length > count) this.#stream.putBack(heard.subarray(count));
    const wanted = heard.subarray(0, count);
    this.#request.trace('<<', wanted);
    return wanted;
  }
}
