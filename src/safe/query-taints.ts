/** Which pieces of a query came from outside: shared by the files that keep such pieces from being part of a question. */

import type { Taint, Text } from './taint.ts';

/** Why a query with text from outside is not asked. */
export class Refusal extends Error {}

/** Octets of a query. */
export const longestQuery = 1024 * 1024;

/** Which taint the octets of a text have; asked from left to right. */
export class Taints {
  readonly #ends: { readonly end: number; readonly taint: Taint }[] = [];
  #index = 0;

  constructor(text: Text) {
    let end = 0;
    for (const { value, taint } of text.pieces) {
      end += value.length;
      this.#ends.push({ end, taint });
    }
  }

  #pieceAt(place: number): { readonly end: number; readonly taint: Taint } {
    while (this.#index > 0 && (this.#ends[this.#index - 1]?.end ?? 0) > place) this.#index--;
    while (this.#index < this.#ends.length - 1 && (this.#ends[this.#index]?.end ?? 0) <= place) this.#index++;
    return this.#ends[this.#index] ?? { end: 0, taint: 'tainted' };
  }

  at(place: number): Taint {
    return this.#pieceAt(place).taint;
  }

  /** Where the piece ends that the octet is in. */
  endAt(place: number): number {
    return this.#pieceAt(place).end;
  }

  /** Whether all octets from `start` up to `end`, as far as there are any, are clean. */
  areClean(start: number, end: number): boolean {
    const last = Math.min(end, this.#ends.at(-1)?.end ?? 0);
    for (let place = start; place < last; place = this.endAt(place)) if (this.at(place) !== 'clean') return false;
    return true;
  }
}
