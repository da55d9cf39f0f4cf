/**
 * Slows a client down that gives many MAIL or RCPT commands in one session (Exim spec 14, smtp_ratelimit_hosts): from a
 * number of commands on, each waits longer than the one before.
 */

import { parseRateLimit, type RateLimit } from '../../options/rate-limit.ts';
import type { Reception } from './reception.ts';

/** Counts the commands of one kind. */
export class Pace {
  #count = 0;
  #delay = 0;

  /** Notes one more command; answers for how many seconds it has to wait. */
  next({ threshold, first, factor, most }: RateLimit): number {
    this.#count++;
    if (this.#count <= threshold) return 0;
    this.#delay = Math.min(this.#count === threshold + 1 ? first : this.#delay * factor, most);
    return this.#delay;
  }
}

/** Waits before a command when its client is to be slowed down. */
export async function slowDown(command: 'mail' | 'rcpt', reception: Reception): Promise<void> {
  const { runtime, paces } = reception;
  const { main } = runtime.config;
  const text = command === 'mail' ? main.smtp_ratelimit_mail : main.smtp_ratelimit_rcpt;
  if (text === undefined || !(await reception.isIn(main.smtp_ratelimit_hosts))) return;
  const limit = parseRateLimit(text);
  const delay = limit === undefined ? 0 : paces[command].next(limit);
  if (delay > 0) await reception.pause(delay);
}
