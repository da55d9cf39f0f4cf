/**
 * What servers offered when they last answered EHLO, for clients that begin before they are answered (Exim spec 30.4,
 * hosts_pipe_connect). One record for an address and port, in the database that Exim has it in.
 */

import * as clock from '../lib/clock.ts';
import { type Clean, literal } from '../safe/taint.ts';
import type { Extensions } from '../smtp/client/extensions.ts';
import { HintsFile, type HintsOwner } from './hints.ts';

/** In clear, and over TLS when it came to that. */
export interface Offers {
  readonly clear: Extensions;
  readonly tls?: Extensions | undefined;
}

/** Where a server is. */
export interface Server {
  readonly address: string;
  readonly port: number;
}

const keyOf = ({ address, port }: Server): string => `${address}:${port}.EHLO`;

export class OfferHints {
  readonly #file: HintsFile;
  /** Seconds for which a record is good (retry_data_expire). */
  readonly #kept: number;

  constructor(spool: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void, kept: number) {
    this.#file = new HintsFile(spool, literal('misc'), owner, complain);
    this.#kept = kept;
  }

  get(server: Server): Offers | undefined {
    const text = this.#file.get(keyOf(server));
    return text === undefined ? undefined : readOffers(text);
  }

  note(server: Server, { clear, tls }: Offers): void {
    const now = clock.seconds();
    const written = { time: now, clear: [...clear], ...(tls === undefined ? {} : { tls: [...tls] }) };
    this.#file.set(keyOf(server), JSON.stringify(written), now + this.#kept);
  }

  forget(server: Server): void {
    this.#file.delete(keyOf(server));
  }

  close(): void {
    this.#file.close();
  }
}

/** When a record was written; nothing when it makes no sense. */
export function offersNotedAt(text: string): number | undefined {
  const time = Number(Reflect.get(objectIn(text) ?? {}, 'time'));
  return Number.isFinite(time) ? time : undefined;
}

function readOffers(text: string): Offers | undefined {
  const read = objectIn(text);
  if (read === undefined) return undefined;
  const clear = readExtensions(Reflect.get(read, 'clear'));
  return clear && { clear, tls: readExtensions(Reflect.get(read, 'tls')) };
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function readExtensions(value: unknown): Extensions | undefined {
  if (!Array.isArray(value)) return undefined;
  return new Map(value.flatMap((each) => (Array.isArray(each) ? [[String(each[0]), String(each[1] ?? '')]] : [])));
}
