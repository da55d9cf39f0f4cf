/**
 * The text of a message as POP3 sends it (RFC 1939 §3): CR and LF at the ends of lines, a second dot in front of lines
 * that begin with one, and for TOP no more lines of the body than were asked for.
 */

import { WireText } from '../store/wire.ts';

export class MessageText {
  readonly #wire = new WireText();
  /** Lines of the body that may still be sent; nothing for all. */
  #bodyLines: number | undefined;
  #inHeader = true;
  #atLineStart = true;
  /** Nothing more is wanted. */
  isDone = false;

  constructor(bodyLines?: number) {
    this.#bodyLines = bodyLines;
  }

  take(piece: Buffer): string {
    return this.#stuffed(this.#wire.take(piece));
  }

  /** What stands behind the last piece, with the dot that ends it all. */
  end(): string {
    return `${this.isDone ? '' : this.#stuffed(this.#wire.end())}.\r\n`;
  }

  #stuffed(whole: string): string {
    const text = this.#bodyLines === undefined ? whole : this.#cut(whole);
    if (text === '') return '';
    const first = this.#atLineStart && text.startsWith('.') ? '.' : '';
    this.#atLineStart = text.endsWith('\n');
    return first + text.replaceAll('\n.', '\n..');
  }

  /** The part of a text that is wanted by TOP. */
  #cut(text: string): string {
    let at = 0;
    let lineStart = this.#atLineStart;
    while (!this.isDone && at < text.length) {
      if (!this.#inHeader && (this.#bodyLines ?? 0) <= 0) {
        this.isDone = true;
        break;
      }
      const end = text.indexOf('\n', at);
      const next = end < 0 ? text.length : end + 1;
      if (end >= 0) {
        if (!this.#inHeader) this.#bodyLines = (this.#bodyLines ?? 0) - 1;
        else if (lineStart && text.slice(at, next) === '\r\n') this.#inHeader = false;
      }
      lineStart = end >= 0;
      at = next;
    }
    if (!this.#inHeader && (this.#bodyLines ?? 0) <= 0 && lineStart) this.isDone = true;
    return text.slice(0, at);
  }
}
