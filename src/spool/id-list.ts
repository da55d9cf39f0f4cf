/**
 * The ids of many messages in little memory, for those who go through the whole queue: 21 octets each, so that a queue
 * of 100,000 messages costs two megabytes. They come back in the order of arrival, or in a different order each time.
 */

import { type QueueId, queueId } from '../safe/taint.ts';

const timeLength = 6;
const fractionLength = 4;
const processLength = 11;
const entryLength = timeLength + fractionLength + processLength;

/**
 * An id with its parts in the order of their weight: time, fraction of the second, process. Octets compare as the
 * numbers do; those of the older, shorter form are filled up.
 */
function entryOf(id: QueueId): string {
  const [time = '', process = '', fraction = ''] = id.split('-');
  return time + fraction.padEnd(fractionLength, '\0') + process.padEnd(processLength, '\0');
}

function idOf(entry: string): QueueId | undefined {
  const fraction = entry.slice(timeLength, timeLength + fractionLength).replaceAll('\0', '');
  const process = entry.slice(timeLength + fractionLength).replaceAll('\0', '');
  return queueId(`${entry.slice(0, timeLength)}-${process}-${fraction}`);
}

export class IdList {
  #entries = Buffer.alloc(entryLength * 64);
  #order = new Uint32Array(0);
  #count = 0;

  constructor(ids: Iterable<QueueId>) {
    for (const id of ids) this.#add(id);
    this.#order = Uint32Array.from({ length: this.#count }, (_, index) => index);
  }

  #add(id: QueueId): void {
    const at = this.#count * entryLength;
    if (at === this.#entries.length) {
      const larger = Buffer.alloc(2 * at);
      this.#entries.copy(larger);
      this.#entries = larger;
    }
    this.#entries.write(entryOf(id), at, 'latin1');
    this.#count++;
  }

  get length(): number {
    return this.#count;
  }

  /** Puts them into the order of arrival. */
  sort(): this {
    const entries = this.#entries;
    this.#order.sort((a, b) => {
      const [first, second] = [a * entryLength, b * entryLength];
      return entries.compare(entries, second, second + entryLength, first, first + entryLength);
    });
    return this;
  }

  /** Puts them into an order that nobody can foresee. */
  shuffle(random: () => number = Math.random): this {
    const order = this.#order;
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      const kept = order[last] ?? 0;
      order[last] = order[other] ?? 0;
      order[other] = kept;
    }
    return this;
  }

  *[Symbol.iterator](): Generator<QueueId> {
    for (const place of this.#order) {
      const at = place * entryLength;
      const id = idOf(this.#entries.toString('latin1', at, at + entryLength));
      if (id !== undefined) yield id;
    }
  }
}
