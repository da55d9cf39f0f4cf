/**
 * A talk with a virus scanner: what is asked, and what is read of the answer, all before one point in time. For the
 * scanners that speak a protocol of their own; an answer is bounded, and the connection ends with the talk.
 */

import * as clock from '../../lib/clock.ts';
import type { ByteStream } from '../../net/byte-stream.ts';
import type { MessageCopy } from '../message-copy.ts';
import { type MalwareVerdict, problem, type ScanRequest } from './malware-verdict.ts';
import { connectScanner, type ScannerPlace } from './scanner-connection.ts';

/** What a scanner says about one message is never longer. */
const longestAnswer = 256 * 1024;

export type Heard =
  | { readonly outcome: 'heard'; readonly text: string }
  /** `text` is the system's word for it: `Success` when the scanner has ended the connection. */
  | { readonly outcome: 'failed'; readonly why: 'closed' | 'timeout' | 'broken'; readonly text: string };

const heard = (text: string): Heard => ({ outcome: 'heard', text });

export class ScannerTalk {
  /** Where the scanner is, for the log. */
  readonly place: string;
  /** The same, as the configuration has it. */
  readonly setting: string;
  readonly #stream: ByteStream;
  readonly #end: number;
  #waiting = '';
  #size = 0;

  constructor(stream: ByteStream, place: string, setting: string, end: number) {
    this.#stream = stream;
    this.place = place;
    this.setting = setting;
    this.#end = end;
  }

  #left(): number {
    return Math.max(this.#end - clock.elapsed(), 1);
  }

  problem(message: string): MalwareVerdict {
    return problem(message, this.place);
  }

  /** Sends it; answers the system's word for why not. */
  async send(data: Uint8Array | string): Promise<string | undefined> {
    const sent = await this.#stream.write(data, this.#left());
    if (sent.outcome === 'written') return undefined;
    if (sent.outcome === 'timeout') return 'Connection timed out';
    return sent.outcome === 'closed' ? 'Broken pipe' : sent.text;
  }

  /** Sends a question; answers the problem when that cannot be. */
  async ask(data: Uint8Array | string): Promise<MalwareVerdict | undefined> {
    const why = await this.send(data);
    return why === undefined ? undefined : this.problem(`unable to send to socket (${this.setting}): ${why}`);
  }

  async sendCopy(copy: MessageCopy): Promise<MalwareVerdict | undefined> {
    let why: string | undefined;
    await copy.read(async (piece) => {
      if (why === undefined && piece.length > 0) why = await this.send(piece);
    });
    return why === undefined ? undefined : this.problem(`unable to send file body to socket (${this.setting}): ${why}`);
  }

  /** Reads on until so many octets of what came belong to the answer; `size` sees what came, and whether more may. */
  async #take(size: (text: string, isEnd: boolean) => number | undefined): Promise<Heard> {
    for (;;) {
      const whole = size(this.#waiting, false);
      if (whole !== undefined) return this.#cut(whole);
      const read = await this.#stream.read(this.#left());
      if (read.outcome === 'octets') {
        this.#size += read.octets.length;
        if (this.#size > longestAnswer) return { outcome: 'failed', why: 'broken', text: 'the answer is too long' };
        this.#waiting += read.octets.toString('latin1');
        continue;
      }
      if (read.outcome === 'timeout') return { outcome: 'failed', why: 'timeout', text: 'Connection timed out' };
      if (read.outcome === 'broken') return { outcome: 'failed', why: 'broken', text: read.text };
      const rest = size(this.#waiting, true);
      return rest === undefined ? { outcome: 'failed', why: 'closed', text: 'Success' } : this.#cut(rest);
    }
  }

  #cut(size: number): Heard {
    const text = this.#waiting.slice(0, size);
    this.#waiting = this.#waiting.slice(size);
    return heard(text);
  }

  /** The next line with its end; the last one may have none. */
  line(): Promise<Heard> {
    return this.#take((text, isEnd) => {
      const end = text.indexOf('\n');
      if (end >= 0) return end + 1;
      return isEnd && text !== '' ? text.length : undefined;
    });
  }

  octets(size: number): Promise<Heard> {
    return this.#take((text) => (text.length >= size ? size : undefined));
  }

  /** All that came until now, at least `least` octets unless the scanner has ended. */
  some(least = 1): Promise<Heard> {
    return this.#take((text, isEnd) => (text.length >= (isEnd ? 1 : least) ? text.length : undefined));
  }
}

/** Connects to the scanner and speaks with it. */
export async function talk(
  place: ScannerPlace,
  setting: string,
  { timeout, context }: ScanRequest,
  speak: (talk: ScannerTalk) => Promise<MalwareVerdict>,
): Promise<MalwareVerdict> {
  const end = clock.elapsed() + timeout * 1000;
  const connection = await connectScanner(place, { timeout, retry: undefined }, context);
  if (connection.outcome === 'failed') return problem(connection.message, connection.place);
  const { stream } = connection;
  try {
    return await speak(new ScannerTalk(stream, connection.place, setting, end));
  } finally {
    stream.close();
  }
}
