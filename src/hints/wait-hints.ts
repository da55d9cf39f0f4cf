/**
 * Which messages wait for which hosts: one database for each remote transport, `wait-` and its name (Exim spec 49.1,
 * 54.11). Who has a connection to a host asks here what else could go over it. A message stays noted until it is asked
 * for, or for 30 days; by then it may be gone or on its way elsewhere, so this is never more than a hint.
 */

import * as clock from '../lib/clock.ts';
import { type Clean, concat, literal, type QueueId, queueId, reviewed } from '../safe/taint.ts';
import { HintsFile, type HintsOwner } from './hints.ts';

/** Seconds after which a message is forgotten, as by Exim's tidying. */
const kept = 30 * 86_400;

/** Between the name of a host and the id of a message; no name has it in it. */
const separator = ' ';
/** Comes behind the separator, so that all messages of a host lie between the two. */
const behindSeparator = '!';

/** An id with its fraction of the second before its process, so that a later one is greater; and the way back. */
function swapped(id: string): string {
  const [time = '', second = '', third = ''] = id.split('-');
  return `${time}-${third}-${second}`;
}

/** The key of a reminder, and what stands in one. */
export const waitKey = (host: string, id: QueueId): string => `${host}${separator}${swapped(id)}`;

export function readWaitKey(key: string): { readonly host: string; readonly id: QueueId } | undefined {
  const end = key.lastIndexOf(separator);
  const id = queueId(swapped(key.slice(end + separator.length)));
  return end < 0 || id === undefined ? undefined : { host: key.slice(0, end), id };
}

export class WaitHints {
  readonly #spool: Clean;
  readonly #owner: HintsOwner | undefined;
  readonly #complain: (error: unknown) => void;
  /** By the names of transports. */
  readonly #files = new Map<string, HintsFile>();
  #isEnding = false;

  constructor(spool: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void) {
    this.#spool = spool;
    this.#owner = owner;
    this.#complain = complain;
  }

  #file(transport: string): HintsFile {
    let file = this.#files.get(transport);
    if (file === undefined) {
      const name = concat(literal('wait-'), reviewed(transport, 'the name of a transport of the configuration'));
      file = new HintsFile(this.#spool, name, this.#owner, this.#complain);
      this.#files.set(transport, file);
    }
    return file;
  }

  note(transport: string, hosts: readonly string[], id: QueueId): void {
    const file = this.#file(transport);
    const expires = clock.seconds() + kept;
    for (const host of hosts) if (!host.includes(separator)) file.set(waitKey(host, id), '', expires);
  }

  forget(transport: string, host: string, id: QueueId): void {
    this.#file(transport).delete(waitKey(host, id));
  }

  /** From now on no messages are named: whoever asks is about to end. */
  end(): void {
    this.#isEnding = true;
  }

  isAwaited(transport: string, host: string): boolean {
    if (this.#isEnding) return false;
    return this.#file(transport).lastKey(`${host}${separator}`, `${host}${behindSeparator}`) !== undefined;
  }

  /** The youngest message that waits for the host, which is then noted no more. */
  take(transport: string, host: string): QueueId | undefined {
    while (!this.#isEnding) {
      const key = this.#file(transport).takeLastKey(`${host}${separator}`, `${host}${behindSeparator}`);
      if (key === undefined) return undefined;
      const id = queueId(swapped(key.slice(host.length + separator.length)));
      if (id !== undefined) return id;
    }
    return undefined;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}
