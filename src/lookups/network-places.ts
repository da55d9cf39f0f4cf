/** Networks of one family in typed arrays, each with the place of its entry in a file; for `iplsearch`. */

import type { IpOctets, Network } from '../net/address.ts';

function wordsOf(octets: IpOctets): Uint32Array {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return Uint32Array.from({ length: octets.length / 4 }, (_, word) => view.getUint32(4 * word));
}

export class NetworkPlaces {
  /** Words of 32 bits in an address. */
  readonly #width: number;
  #words: Uint32Array;
  #bits = new Uint8Array(64);
  #places = new Float64Array(64);
  #count = 0;

  /** `octets` is the length of an address of the family. */
  constructor(octets: number) {
    this.#width = octets / 4;
    this.#words = new Uint32Array(64 * this.#width);
  }

  add(network: Network, place: number): void {
    if (this.#count === this.#bits.length) this.#grow();
    this.#words.set(wordsOf(network.octets), this.#count * this.#width);
    this.#bits[this.#count] = network.bits;
    this.#places[this.#count] = place;
    this.#count++;
  }

  /** The place of the network that was added first of all that hold the address. */
  find(address: IpOctets): number | undefined {
    const words = wordsOf(address);
    for (let number = 0; number < this.#count; number++) {
      if (this.#holds(number, words)) return this.#places[number];
    }
    return undefined;
  }

  #holds(number: number, words: Uint32Array): boolean {
    const bits = this.#bits[number] ?? 0;
    const start = number * this.#width;
    const whole = bits >>> 5;
    for (let word = 0; word < whole; word++) if (this.#words[start + word] !== words[word]) return false;
    const rest = bits & 31;
    if (rest === 0) return true;
    return ((this.#words[start + whole] ?? 0) ^ (words[whole] ?? 0)) >>> (32 - rest) === 0;
  }

  #grow(): void {
    const size = this.#count * 2;
    const words = new Uint32Array(size * this.#width);
    const bits = new Uint8Array(size);
    const places = new Float64Array(size);
    words.set(this.#words);
    bits.set(this.#bits);
    places.set(this.#places);
    this.#words = words;
    this.#bits = bits;
    this.#places = places;
  }
}
