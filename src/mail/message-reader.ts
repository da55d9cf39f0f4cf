/**
 * Takes a message apart as it comes: header lines are collected within limits, the body is handed on piece by piece
 * (RFC 5322 §2.1). Lines end with LF alone; whoever reads from a network or a program has seen to that.
 */

export interface ReaderLimits {
  /** Octets of all header lines together (header_maxsize). */
  readonly headers: number;
  /** Octets of one header line with its continuations; 0 for no limit (header_line_maxsize). */
  readonly headerLine: number;
}

/** What is too long: all header lines together, or one of them. */
export type HeaderProblem = 'headers' | 'header line';

/** Takes a piece of the body; may ask to be waited for. */
export type BodySink = (piece: Buffer) => Promise<void> | undefined;

const lf = 0x0a;
const colon = 0x3a;
const blank = 0x20;
const tab = 0x09;

export class MessageReader {
  readonly #limits: ReaderLimits;
  readonly #sink: BodySink;
  /** Lines of the header section; each header with its continuations, ending with LF. */
  readonly headers: string[] = [];
  #headerSize = 0;
  /** The header section is over. */
  #inBody = false;
  /** An unfinished line of the header section. */
  #partial: Buffer = Buffer.alloc(0);
  #problem: HeaderProblem | undefined;
  /** What ended the header section: a blank line, a line that is no header line, or nothing. */
  sectionEnd: 'none' | 'blank' | 'body' = 'none';
  bodyLines = 0;
  bodyZeros = 0;
  bodySize = 0;
  longestLine = 0;
  #lineLength = 0;
  #lastOctet = lf;

  constructor(limits: ReaderLimits, sink: BodySink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** What is wrong with the message, as soon as it is known. */
  get problem(): HeaderProblem | undefined {
    return this.#problem;
  }

  /** How far it has come, as logs tell of a message that breaks off. */
  get standing(): '' | ' (header)' | ' (after header)' {
    if (this.#inBody) return '';
    return this.headers.length > 0 && this.#partial.length === 0 ? ' (after header)' : ' (header)';
  }

  push(chunk: Buffer): Promise<void> | undefined {
    if (this.#problem !== undefined) return undefined;
    return this.#inBody ? this.#body(chunk) : this.#header(chunk);
  }

  #header(chunk: Buffer): Promise<void> | undefined {
    const data = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    let at = 0;
    for (let end = data.indexOf(lf, at); end >= 0; end = data.indexOf(lf, at)) {
      const next = this.#headerLine(data, at, end);
      if (next === 'more') {
        at = end + 1;
        continue;
      }
      this.#inBody = true;
      this.sectionEnd = next;
      this.#partial = Buffer.alloc(0);
      return this.#body(data.subarray(next === 'blank' ? end + 1 : at));
    }
    this.#partial = Buffer.from(data.subarray(at));
    if (this.#headerSize + this.#partial.length > this.#limits.headers) this.#tooLarge();
    return undefined;
  }

  /** Takes a line of the header section; `body` when it is none, `blank` when it ends the section. */
  #headerLine(data: Buffer, start: number, end: number): 'more' | 'blank' | 'body' {
    const length = end - start;
    if (length === 0) {
      this.#closeHeader();
      return 'blank';
    }
    this.longestLine = Math.max(this.longestLine, length);
    const first = data[start];
    const continues = (first === blank || first === tab) && this.headers.length > 0;
    if (!continues && !isHeader(data, start, end)) {
      this.#closeHeader();
      return 'body';
    }
    const text = data.toString('latin1', start, end + 1);
    this.#headerSize += text.length;
    if (continues) this.headers[this.headers.length - 1] += text;
    else {
      this.#closeHeader();
      this.headers.push(text);
    }
    const line = this.headers.at(-1)?.length ?? 0;
    if (this.#headerSize > this.#limits.headers) this.#tooLarge();
    else if (this.#limits.headerLine > 0 && line > this.#limits.headerLine) {
      this.#problem = 'header line';
    }
    return 'more';
  }

  /** Continuations at the end of a header line that hold nothing but blanks are dropped. */
  #closeHeader(): void {
    const last = this.headers.at(-1);
    if (last !== undefined && /\n[ \t]*\n$/.test(last)) {
      this.headers[this.headers.length - 1] = last.replace(/(?:\n[ \t]*)+$/, '\n');
    }
  }

  #tooLarge(): void {
    this.#problem = 'headers';
  }

  #body(piece: Buffer): Promise<void> | undefined {
    if (piece.length === 0) return undefined;
    this.bodySize += piece.length;
    let at = 0;
    for (let end = piece.indexOf(lf); end >= 0; end = piece.indexOf(lf, at)) {
      const length = this.#lineLength + end - at;
      if (length > this.longestLine) this.longestLine = length;
      this.#lineLength = 0;
      this.bodyLines++;
      at = end + 1;
    }
    this.#lineLength += piece.length - at;
    for (let zero = piece.indexOf(0); zero >= 0; zero = piece.indexOf(0, zero + 1)) this.bodyZeros++;
    this.#lastOctet = piece[piece.length - 1] ?? lf;
    return this.#sink(piece);
  }

  /** The message is complete: what is left in hand is dealt with, and the last line is ended. */
  async end(): Promise<void> {
    if (this.#problem !== undefined) return;
    if (!this.#inBody && this.#partial.length > 0) {
      const rest = this.#partial;
      this.#partial = Buffer.alloc(0);
      await this.#header(Buffer.concat([rest, Buffer.from('\n')]));
    }
    if (!this.#inBody) this.#closeHeader();
    this.#inBody = true;
    if (this.#lastOctet !== lf) await this.#body(Buffer.from('\n'));
  }
}

/** Whether a line has a name of printing characters and a colon in front (RFC 5322 §2.2); blanks before the colon pass. */
function isHeader(data: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const octet = data[at] ?? 0;
    if (octet === colon) return true;
    if (octet <= blank || octet === 0x7f) break;
    at++;
  }
  while (data[at] === blank || data[at] === tab) at++;
  return data[at] === colon;
}
