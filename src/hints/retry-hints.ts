/** The retry database: since when hosts and addresses fail, and when they are tried again (Exim spec 32, 54.9). */

import { type Clean, literal } from '../safe/taint.ts';
import { HintsFile, type HintsOwner } from './hints.ts';

/** What is remembered of one host or address. Times are seconds since 1970. */
export interface RetryRecord {
  readonly firstFailed: number;
  readonly lastTry: number;
  readonly nextTry: number;
  /** The last retry rule has run out. */
  readonly expired: boolean;
  /** Number and second number of the error, as in logs. */
  readonly code: number;
  readonly detail: number;
  readonly message: string;
}

/** Keys: `T:` for transports, `R:` for routing, then host and address, or the address (Exim spec 54.9). */
export const retryKeys = {
  host: (name: string, address: string, port: number | undefined): string =>
    `T:${name}:${address}${port === undefined || port === 25 ? '' : `:${port}`}`,
  message: (hostKey: string, messageId: string): string => `${hostKey}:${messageId}`,
  routing: (address: string): string => `R:${address}`,
  delivery: (address: string): string => `T:${address}`,
  recipient: (address: string, sender: string | undefined): string =>
    `R:${address}${sender === undefined ? '' : `:<${sender}>`}`,
} as const;

export class RetryHints {
  readonly #file: HintsFile;

  constructor(spool: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void) {
    this.#file = new HintsFile(spool, literal('retry'), owner, complain);
  }

  get(key: string): RetryRecord | undefined {
    const text = this.#file.get(key);
    return text === undefined ? undefined : parseRetryRecord(text);
  }

  set(key: string, record: RetryRecord): void {
    this.#file.set(key, JSON.stringify(record));
  }

  delete(key: string): void {
    this.#file.delete(key);
  }

  *entries(): Generator<readonly [string, RetryRecord]> {
    for (const [key, text] of this.#file.entries()) {
      const record = parseRetryRecord(text);
      if (record !== undefined) yield [key, record];
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** A record that makes no sense is as good as none. */
export function parseRetryRecord(text: string): RetryRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const number = (name: string): number => Number(Reflect.get(value, name));
  const times = ['firstFailed', 'lastTry', 'nextTry', 'code', 'detail'].map(number);
  if (times.some((time) => !Number.isFinite(time))) return undefined;
  const [firstFailed = 0, lastTry = 0, nextTry = 0, code = 0, detail = 0] = times;
  const expired = Reflect.get(value, 'expired') === true;
  return { firstFailed, lastTry, nextTry, expired, code, detail, message: String(Reflect.get(value, 'message') ?? '') };
}
