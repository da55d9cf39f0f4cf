/**
 * Deliveries of messages that have just come in, within this process: at most so many at a time. The rest wait by their
 * ids alone, unlocked, so that memory and open files stay within bounds; what is lost here is found by a queue run.
 */

import { errorText } from '../lib/errno.ts';
import { type DeliveryTools, ordinary } from '../mta/attempt.ts';
import { deliver } from '../mta/deliver.ts';
import { openQueued } from '../mta/open-queued.ts';
import { withQueue } from '../mta/runtime.ts';
import type { Clean, QueueId } from '../safe/taint.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import type { BegunTransaction } from '../transports/smtp-kept.ts';

const most = 200;
const mostWaiting = 100_000;
/** Milliseconds that a first attempt may take before the message is written to the spool in any case. */
const patience = 500;

export class DeliveryPool {
  readonly #tools: DeliveryTools;
  readonly #localOnly: boolean;
  readonly #waiting: { readonly id: QueueId; readonly queue: Clean }[] = [];
  #running = 0;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(tools: DeliveryTools, localOnly: boolean) {
    this.#tools = tools;
    this.#localOnly = localOnly;
  }

  /** Delivers a locked message, at once or when it is its turn; resolves when it is safe. */
  async add(message: SpooledMessage, begun?: BegunTransaction): Promise<void> {
    if (this.#running < most && !this.#closed) {
      void this.#deliver(message, begun);
      // a delivery that takes its time, for a lock perhaps, must not keep the client waiting
      const timer = setTimeout(() => void message.makeSafe().catch(() => undefined), patience);
      try {
        await message.safe;
      } finally {
        clearTimeout(timer);
      }
      return;
    }
    begun?.connection.hangUp();
    await message.makeSafe();
    const { id, queue } = message;
    message.release();
    if (this.#waiting.length < mostWaiting && !this.#closed) this.#waiting.push({ id, queue });
  }

  async #deliver(message: SpooledMessage, begun?: BegunTransaction): Promise<void> {
    this.#running++;
    try {
      await deliver(message, { ...ordinary, localOnly: this.#localOnly, begun }, this.#tools);
    } catch (error) {
      this.#tell(error, message.id);
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #next(): void {
    while (!this.#closed && this.#running < most) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const runtime = withQueue(this.#tools.runtime, next.queue);
      const message = openQueued(next.id, { tellOfMissing: false }, runtime);
      if (message !== undefined) void this.#deliver(message);
    }
    if (this.#running === 0) this.#idle?.();
  }

  #tell(error: unknown, id: QueueId): void {
    this.#tools.runtime.logs.panic(`delivery failed unexpectedly: ${errorText(error)}`, id);
  }

  /** Takes nothing more; resolves when what runs has ended, or after `milliseconds`. */
  async close(milliseconds: number): Promise<void> {
    this.#closed = true;
    this.#tools.waiting.end();
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
