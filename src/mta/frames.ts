/** Messages between this program and its delivery processes: a length, a JSON text, and for a body the octets behind it. */

const head = 4;
const maximumText = 64 * 1024 * 1024;

/** A message as octets. */
export function frame(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value), 'utf8');
  const buffer = Buffer.allocUnsafe(head + text.length);
  buffer.writeUInt32BE(text.length, 0);
  text.copy(buffer, head);
  return buffer;
}

/** Takes messages and octets out of a stream of pieces. */
export class FrameReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** False at the end of the stream. */
  async #more(): Promise<boolean> {
    const { value, done } = await this.#pieces.next();
    if (done === true) return false;
    this.#waiting = this.#waiting.length === 0 ? value : Buffer.concat([this.#waiting, value]);
    return true;
  }

  async #need(count: number): Promise<boolean> {
    while (this.#waiting.length < count) if (!(await this.#more())) return false;
    return true;
  }

  /** The next message, or nothing at the end. @throws when it is too long or broken */
  async next(): Promise<unknown> {
    if (!(await this.#need(head))) return undefined;
    const length = this.#waiting.readUInt32BE(0);
    if (length > maximumText) throw new Error('a message between processes is too long');
    if (!(await this.#need(head + length))) return undefined;
    const text = this.#waiting.toString('utf8', head, head + length);
    this.#waiting = this.#waiting.subarray(head + length);
    return JSON.parse(text);
  }

  /** Some of the next octets, at most as many as fit into `buffer`; 0 at the end of the stream. */
  async octets(buffer: Uint8Array): Promise<number> {
    if (this.#waiting.length === 0 && !(await this.#more())) return 0;
    const count = Math.min(buffer.length, this.#waiting.length);
    buffer.set(this.#waiting.subarray(0, count));
    this.#waiting = this.#waiting.subarray(count);
    return count;
  }
}
