/**
 * Replies of an SMTP or LMTP server (RFC 5321 §4.2), read from octets as they come. For the client's session.
 *
 * Lines may end with LF alone. A reply may have 200 lines and 4096 octets; what is longer, or is no reply at all, is
 * malformed, so that a hostile server costs no more than that.
 */

import { trimEnd } from '../lib/octets.ts';

export interface Reply {
  /** Of the first line, which is the one that counts. */
  readonly code: number;
  /** `5.1.1`, when the text of the first line begins so (RFC 3463). */
  readonly enhanced: string | undefined;
  /** Whole lines, code included, without line ends and blanks at their ends. */
  readonly lines: readonly string[];
}

export type Reading =
  | { readonly outcome: 'reply'; readonly reply: Reply }
  /** The rest has not come yet. */
  | { readonly outcome: 'incomplete' }
  /** No reply; `text` is what came, at most as much as a reply may have. */
  | { readonly outcome: 'malformed'; readonly text: string };

const maximumLines = 200;
const maximumOctets = 4096;

const newline = 0x0a;
const incomplete: Reading = { outcome: 'incomplete' };

/** The whole reply as one text, its lines separated by LF. */
export function replyText({ lines }: Reply): string {
  return lines.join('\n');
}

/** 2 for success, 3 for "go on", 4 for "try later", 5 for "never". */
export function replyClass({ code }: Reply): number {
  return Math.floor(code / 100);
}

function makeReply(lines: readonly string[]): Reply {
  const [first = ''] = lines;
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?:[ \t]|$)/.exec(first)?.[1];
  return { code: Number(first.slice(0, 3)), enhanced, lines };
}

export class ReplyReader {
  #pending: Buffer = Buffer.alloc(0);
  /** Lines of a reply whose last line has not come yet. */
  #lines: string[] = [];
  #octets = 0;

  /** Adds octets that came. */
  add(octets: Buffer): void {
    this.#pending = this.#pending.length === 0 ? octets : Buffer.concat([this.#pending, octets]);
  }

  /** Whether octets came that no reply was made of yet. */
  get hasOctets(): boolean {
    return this.#pending.length > 0 || this.#lines.length > 0;
  }

  /** The next reply. After a malformed one there is no way to go on. */
  next(): Reading {
    for (;;) {
      const end = this.#pending.indexOf(newline);
      if (this.#octets + (end < 0 ? this.#pending.length : end) > maximumOctets) return this.#malformed();
      if (end < 0) return incomplete;
      const line = trimEnd(this.#pending.toString('latin1', 0, end));
      this.#pending = this.#pending.subarray(end + 1);
      this.#octets += end + 1;
      this.#lines.push(line);
      if (!/^\d{3}(?:[ -]|$)/.test(line) || this.#lines.length > maximumLines) return this.#malformed();
      if (line[3] === '-') continue;
      const lines = this.#lines;
      this.#lines = [];
      this.#octets = 0;
      return { outcome: 'reply', reply: makeReply(lines) };
    }
  }

  #malformed(): Reading {
    const rest = trimEnd(this.#pending.toString('latin1', 0, Math.max(maximumOctets - this.#octets, 0)));
    const shown =
      this.#lines.length > 0 && /^\d{3}-/.test(this.#lines.at(-1) ?? '') ? [...this.#lines, rest] : this.#lines;
    return { outcome: 'malformed', text: (shown.length > 0 ? shown : [rest]).join('\n') };
  }
}
