/**
 * `ratelimit`: whether somebody sends faster than he may (Exim spec 44.39 - 44.44). The rate is an exponentially weighted
 * moving average: what was measured before counts the less the longer ago it was, by a factor of e for each period.
 */

import * as clock from '../../lib/clock.ts';
import { oneDecimal } from '../../lib/one-decimal.ts';
import type { AclRun, ConditionAnswer, TextCondition } from '../acl.ts';
import { parseRateSetting, type RateSetting } from '../rate-setting.ts';

/** By how much the measured rate grows. */
function increment({ count, counts }: RateSetting, { phase, context }: AclRun): number {
  if (count !== undefined) return count;
  if (counts === 'octets') return Math.max(context.message?.size ?? 0, 0);
  if (counts === 'recipients' && phase !== 'RCPT') return context.message?.recipientsCount ?? 0;
  return 1;
}

/** Measures, and records what was measured unless the mode forbids it. */
function measured(setting: RateSetting, run: AclRun): number {
  const { key, period, mode, limit, unique } = setting;
  const { rates } = run.services;
  const now = clock.now() / 1000;
  const earlier = rates.get(key);
  const isRead = mode === 'readonly';
  // a clock that was set back must not make anybody faster
  const periods = earlier === undefined ? 0 : Math.max(now - earlier.time, 1e-6) / period;
  const left = Math.exp(-periods);
  if (isRead) return earlier === undefined ? 0 : left * earlier.rate;
  const fresh = earlier === undefined || now - earlier.epoch >= period || earlier.epoch > now;
  const epoch = fresh ? now : earlier.epoch;
  const isKnown = unique !== undefined && rates.wasCounted(key, unique, epoch);
  const added = isKnown ? 0 : increment(setting, run);
  const rate = earlier === undefined ? added : (added * (1 - left)) / periods + left * earlier.rate;
  if (mode === 'leaky' && rate >= limit) return rate;
  rates.set(key, { time: now, rate, epoch }, period);
  if (unique !== undefined && !isKnown) rates.count(key, unique, epoch, period);
  return rate;
}

/** The rate for this connection, message or recipient: measured once, however often it is asked for. */
function rateOf(setting: RateSetting, run: AclRun): number {
  const { scope, key, mode } = setting;
  const memory = scope === 'command' || mode === 'readonly' ? undefined : run.measured[scope];
  const event = setting.unique === undefined ? key : `${key}\0${setting.unique}`;
  const known = memory?.get(event);
  if (known !== undefined) return known;
  const rate = run.services.rates.alone(() => measured(setting, run));
  memory?.set(event, rate);
  return rate;
}

export const ratelimit: TextCondition = {
  kind: 'condition',
  name: 'ratelimit',
  doc: 'Whoever the key stands for sends faster than the limit allows: `m / p / options / key`.',
  forbidden: [],
  test(text, run): ConditionAnswer {
    const { connection, acl, decisions } = run.context;
    const setting = parseRateSetting(text, {
      phase: run.phase,
      hostAddress: connection?.hostAddress ?? '',
      recipient: run.recipient?.address ?? '',
    });
    if ('error' in setting) return setting;
    const rate = rateOf(setting, run);
    const shown = oneDecimal(rate);
    if (acl) acl.rate = { rate: shown, limit: setting.limitText, period: setting.periodText };
    const isFast = rate >= setting.limit;
    if (decisions.listening) {
      const detail = `${shown}/${setting.periodText}, limit ${setting.limitText}`;
      decisions.step('acl', `ratelimit ${setting.key}`, isFast ? 'over the limit' : 'below the limit', detail);
    }
    return isFast ? 'true' : 'false';
  },
};
