/** Lines of a message as a mailbox, a pipe or a connection wants them: other line ends, and escaped beginnings. */

export interface LineRules {
  /** End lines with CRLF. */
  readonly crlf: boolean;
  /** Where a line begins with the first text, the second is put instead. */
  readonly escape: { readonly check: Buffer; readonly by: Buffer } | undefined;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Changes a stream of octets piece by piece. */
export class LineEncoder {
  readonly #rules: LineRules;
  #atStart = true;
  /** Octets at the start of a line that may be the beginning of the text to be escaped. */
  #held = Buffer.alloc(0);
  /** The last octet that went out. */
  #last = newline;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  get endsWithNewline(): boolean {
    return this.#last === newline;
  }

  encode(chunk: Buffer): Buffer {
    if (chunk.length > 0) this.#last = chunk[chunk.length - 1] ?? 0;
    if (!this.#rules.crlf && this.#rules.escape === undefined) return chunk;
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    const parts: Buffer[] = [];
    let at = 0;
    while (at < data.length) {
      if (this.#atStart) {
        const skipped = this.#escape(data, at, parts);
        if (skipped === undefined) {
          this.#held = Buffer.from(data.subarray(at));
          break;
        }
        at += skipped;
        this.#atStart = false;
        continue;
      }
      const end = data.indexOf(newline, at);
      if (end < 0) {
        parts.push(data.subarray(at));
        break;
      }
      parts.push(data.subarray(at, end), this.#rules.crlf ? crlf : lf);
      at = end + 1;
      this.#atStart = true;
    }
    return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
  }

  /** Deals with the start of a line; answers how many octets it took, or nothing when more must be seen. */
  #escape(data: Buffer, at: number, parts: Buffer[]): number | undefined {
    const { escape: rule } = this.#rules;
    if (rule === undefined) return 0;
    const seen = data.subarray(at, at + rule.check.length);
    if (seen.length < rule.check.length) {
      return rule.check.subarray(0, seen.length).equals(seen) ? undefined : 0;
    }
    if (!seen.equals(rule.check)) return 0;
    parts.push(rule.by);
    return rule.check.length;
  }

  /** What is left when the text is at its end. */
  end(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }
}

const crlf = Buffer.from([carriageReturn, newline]);
const lf = Buffer.from([newline]);
