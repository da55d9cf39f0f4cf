/**
 * How fast clients are (Exim spec 44.39): for each key an average rate and when it was measured, and, for rates of
 * different events, which events were counted in this period. Exim keeps those in a Bloom filter; here each is a hint of its
 * own, so none is taken for another.
 */

import { crypto } from '../lib/crypto.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { HintsFile, type HintsOwner } from './hints.ts';

export interface RateRecord {
  /** When the rate was measured, in seconds since 1970 with a fraction. */
  readonly time: number;
  readonly rate: number;
  /** Since when different events are remembered. */
  readonly epoch: number;
}

/** A rate is as good as zero after so many periods; e⁻²⁰ of it is left. */
const periodsKept = 20;

export class RateHints {
  readonly #file: HintsFile;

  constructor(spool: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void) {
    this.#file = new HintsFile(spool, literal('ratelimit'), owner, complain);
  }

  get(key: string): RateRecord | undefined {
    const numbers = this.#file.get(key)?.split(' ').map(Number);
    if (numbers === undefined || numbers.some((number) => !Number.isFinite(number))) return undefined;
    const [time = 0, rate = 0, epoch = 0] = numbers;
    return { time, rate, epoch };
  }

  set(key: string, { time, rate, epoch }: RateRecord, period: number): void {
    this.#file.set(key, `${time} ${rate} ${epoch}`, time + periodsKept * period);
  }

  /** Whether the event was counted since `epoch`. */
  wasCounted(key: string, event: string, epoch: number): boolean {
    return this.#file.get(rateEventKey(key, event)) === String(epoch);
  }

  count(key: string, event: string, epoch: number, period: number): void {
    this.#file.set(rateEventKey(key, event), String(epoch), epoch + period + 1);
  }

  /** Reads and writes of `work` are one step for all processes. */
  alone<T>(work: () => T): T {
    return this.#file.alone(work);
  }

  close(): void {
    this.#file.close();
  }
}

/** The event itself may be long. No key of a rate holds a NUL octet. */
export function rateEventKey(key: string, event: string): string {
  return `${key}\0${crypto().createHash('sha256').update(event, 'latin1').digest('base64')}`;
}
