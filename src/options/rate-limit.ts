/** What `smtp_ratelimit_mail` and `smtp_ratelimit_rcpt` say (Exim spec 14, smtp_ratelimit_hosts). */

import { parseInterval } from '../lib/intervals.ts';

export interface RateLimit {
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

/** Reads `threshold,first delay,factor,longest delay`; nothing when that makes no sense. */
export function parseRateLimit(text: string): RateLimit | undefined {
  const [threshold = '', first = '', factor = '', most = '', ...rest] = text.split(',');
  const [from, to] = [seconds(first), parseInterval(most) ?? seconds(most)];
  const isGood = /^\d{1,9}$/.test(threshold) && /^\d+(?:\.\d+)?$/.test(factor) && rest.length === 0;
  if (!isGood || from === undefined || to === undefined) return undefined;
  return { threshold: Number(threshold), first: from, factor: Number(factor), most: to };
}
