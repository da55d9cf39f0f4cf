/**
 * Slows a client down that gives many MAIL or RCPT commands in one session (Exim spec 14, smtp_ratelimit_hosts): from a
 * number of commands on, each waits longer than the one before.
 */

import { parseInterval } from '../../lib/intervals.ts';
import type { Reception } from './reception.ts';

interface Slowness {
  /** Commands that are answered without delay. */
  readonly threshold: number;
  /** Seconds. */
  readonly first: number;
  readonly factor: number;
  readonly most: number;
}

/** An interval whose seconds may have a fraction. */
function seconds(text: string): number | undefined {
  const [, whole, fraction = ''] = /^((?:\d+[wdhm])*\d+)(\.\d+)?s$/.exec(text) ?? [];
  if (whole === undefined) return parseInterval(text);
  const found = parseInterval(`${whole}s`);
  return found === undefined ? undefined : found + Number(`0${fraction}`);
}

export function parseSlowness(text: string): Slowness | undefined {
  const [threshold = '', first = '', factor = '', most = '', ...rest] = text.split(',');
  const [from, to] = [seconds(first), parseInterval(most) ?? seconds(most)];
  const isGood = /^\d{1,9}$/.test(threshold) && /^\d+(?:\.\d+)?$/.test(factor) && rest.length === 0;
  if (!isGood || from === undefined || to === undefined) return undefined;
  return { threshold: Number(threshold), first: from, factor: Number(factor), most: to };
}

/** Counts the commands of one kind. */
export class Pace {
  #count = 0;
  #delay = 0;

  /** Notes one more command; answers for how many seconds it has to wait. */
  next({ threshold, first, factor, most }: Slowness): number {
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
  const slowness = parseSlowness(text);
  if (slowness === undefined) {
    runtime.logs.panic(`malformed ratelimit data: ${text}`);
    return;
  }
  const delay = paces[command].next(slowness);
  if (delay > 0) await reception.pause(delay);
}
