/**
 * Messages of a mailbox that another process reads. Who takes one message after the other gets those that came along
 * with the last one from memory; they are what they were a moment before, as if they had been sent then.
 */

import type { Piece } from '../store/mailbox.ts';
import type { Pieces } from './mailbox-questions.ts';

type AskPieces = (
  message: number,
  position: number,
  ahead: boolean,
) => Promise<{ readonly value: unknown; readonly octets: Buffer }>;

const gone: Piece = { outcome: 'gone' };

export class ReadAhead {
  readonly #ask: AskPieces;
  readonly #waiting = new Map<number, Piece>();
  #last = -1;

  constructor(ask: AskPieces) {
    this.#ask = ask;
  }

  read(message: number, position: number): Piece | Promise<Piece> {
    const found = position === 0 ? this.#waiting.get(message) : undefined;
    if (found === undefined) return this.#readNow(message, position);
    this.#waiting.delete(message);
    this.#last = message;
    return found;
  }

  async #readNow(message: number, position: number): Promise<Piece> {
    const inTurn = position === 0 && message === this.#last + 1;
    this.#waiting.clear();
    this.#last = message;
    const { value, octets } = await this.#ask(message, position, inTurn);
    if (!Array.isArray(value)) throw new Error((value as { readonly message?: string }).message ?? 'no answer');
    let at = 0;
    for (const [number, { size, isLast }] of (value as Pieces).entries()) {
      this.#waiting.set(message + number, { outcome: 'read', octets: octets.subarray(at, at + size), isLast });
      at += size;
    }
    const first = this.#waiting.get(message) ?? gone;
    this.#waiting.delete(message);
    return first;
  }
}
