/**
 * When a failing host or address is tried again, and when it is given up (Exim spec 32). The rules come from the
 * configuration, what happened before from the hints; a hint that is lost makes the next attempt come earlier.
 */

import type { RetryError, RetryRule, RetryStep } from '../config/retry-rules.ts';
import type { Context } from '../expand/context.ts';
import type { RetryHints, RetryRecord } from '../hints/retry-hints.ts';
import * as clock from '../lib/clock.ts';
import { matchTemplate } from '../lists/option.ts';
import { type DeliveryError, errorCodes } from '../transports/transport.ts';

/** What failed, as retry rules look at it. */
export interface RetrySubject {
  /** Key in the hints. */
  readonly key: string;
  /** Addresses (or `*@domain`) that a rule may match, tried in order for each rule. */
  readonly addresses: readonly string[];
  readonly error: DeliveryError;
  /** The host came from an MX record, or did not; nothing for what is no host. */
  readonly viaMx?: boolean | undefined;
  /** The error belongs to the message: its age counts, too (Exim spec 32.11). */
  readonly ofMessage?: boolean | undefined;
}

export interface RetrySettings {
  readonly rules: readonly RetryRule[];
  readonly hints: RetryHints;
  /** Seconds; retry_interval_max, retry_data_expire. */
  readonly intervalMax: number;
  readonly dataExpire: number;
}

/** TLS was begun and failed. */
const tlsFailed = -37;

const replyCodes: Readonly<Record<'mail' | 'rcpt' | 'data', number>> = {
  mail: errorCodes.mail4xx,
  rcpt: errorCodes.rcpt4xx,
  data: errorCodes.data4xx,
};

const refused = 111;
const noSpace = 28;
const systemQuota = 122;

/** Whether the error of a rule is the one that happened. */
export function errorMatches(wanted: RetryError, { error, viaMx }: RetrySubject): boolean {
  const via = 'via' in wanted ? wanted.via === undefined || (wanted.via === 'MX') === viaMx : true;
  switch (wanted.kind) {
    case 'any':
      return true;
    case 'auth_failed':
      return error.code === errorCodes.authenticationFailed;
    case 'lost_connection':
      return error.code === errorCodes.connectionLost;
    case 'lookup':
      return error.code === errorCodes.unknownHost;
    case 'tls_required':
      return error.code === errorCodes.tlsRequired || error.code === tlsFailed;
    case 'refused':
      return error.code === refused && via;
    case 'timeout':
      return error.timeout !== undefined && (!wanted.connect || error.timeout === 'connect') && via;
    case 'quota':
      return [errorCodes.quota, systemQuota, noSpace].includes(error.code) && (error.detail ?? 0) >= wanted.unread;
    case 'reply':
      return (
        error.code === replyCodes[wanted.command] &&
        [...String(error.detail ?? '')].every((digit, i) => wanted.code[i] === 'x' || wanted.code[i] === digit)
      );
  }
}

/** The first rule for this subject. */
export async function findRule(
  rules: readonly RetryRule[],
  subject: RetrySubject,
  sender: string | undefined,
  context: Context,
): Promise<RetryRule | undefined> {
  for (const rule of rules) {
    if (!errorMatches(rule.error, subject)) continue;
    if (rule.senders !== undefined) {
      if (sender === undefined) continue;
      if ((await matchTemplate(rule.senders, sender, context)).outcome !== 'match') continue;
    }
    for (const address of subject.addresses) {
      if ((await matchTemplate(rule.pattern, address, context)).outcome === 'match') return rule;
    }
  }
  return undefined;
}

/** Seconds until the next attempt, `failing` seconds after the first failure; `previous` is the last interval. */
function interval(step: RetryStep, previous: number, intervalMax: number): number {
  let next = step.interval;
  if (step.algorithm !== 'F') {
    while (next <= previous && next < intervalMax && step.factor > 1) next *= step.factor;
  }
  next = Math.min(next, intervalMax);
  return step.algorithm === 'H' && next > step.interval
    ? step.interval + Math.floor(Math.random() * (next - step.interval))
    : Math.floor(next);
}

/** What a failed attempt means. */
export interface RetryVerdict {
  /** The address is given up: there is no rule, or the last one has run out. */
  readonly timedOut: boolean;
  readonly record: RetryRecord | undefined;
}

export class Retry {
  readonly #settings: RetrySettings;

  constructor(settings: RetrySettings) {
    this.#settings = settings;
  }

  /** What is known of a key; what is too old counts as nothing. */
  record(key: string): RetryRecord | undefined {
    const found = this.#settings.hints.get(key);
    return found !== undefined && clock.seconds() - found.lastTry <= this.#settings.dataExpire ? found : undefined;
  }

  forget(key: string): void {
    if (this.#settings.hints.get(key) !== undefined) this.#settings.hints.delete(key);
  }

  /** Notes a failed attempt. `received` is when the message came in. */
  async failed(subject: RetrySubject, sender: string, received: number, context: Context): Promise<RetryVerdict> {
    const { rules, hints, intervalMax } = this.#settings;
    const now = clock.seconds();
    const rule = await findRule(rules, subject, sender, context);
    const last = rule?.steps.at(-1);
    if (rule === undefined || last === undefined) {
      hints.delete(subject.key);
      return { timedOut: true, record: undefined };
    }
    const known = this.record(subject.key);
    let firstFailed = known?.firstFailed ?? now;
    if (subject.ofMessage) firstFailed = Math.min(firstFailed, received);
    const failing = now - firstFailed;
    const step = rule.steps.find(({ cutoff }) => failing < cutoff);
    const previous = known === undefined ? 0 : known.nextTry - known.lastTry;
    const record: RetryRecord = {
      firstFailed,
      lastTry: now,
      nextTry: now + interval(step ?? last, previous, intervalMax),
      expired: step === undefined,
      code: subject.error.code,
      detail: subject.error.detail ?? 0,
      message: subject.error.message,
    };
    hints.set(subject.key, record);
    const isTooOld = now - received > last.cutoff;
    if (context.decisions.listening) {
      context.decisions.step(
        'retry',
        `retry rule ${rule.pattern.template.source} ${rule.errorName}`,
        step === undefined ? 'expired' : 'next attempt',
        `in ${record.nextTry - now}s`,
      );
    }
    return { timedOut: step === undefined || isTooOld, record };
  }

  /** Whether the message has waited longer than the rules for this subject allow, so that a last attempt is due. */
  async isOverdue(subject: RetrySubject, sender: string, received: number, context: Context): Promise<boolean> {
    const rule = await findRule(this.#settings.rules, subject, sender, context);
    const last = rule?.steps.at(-1);
    return last === undefined || clock.seconds() - received > last.cutoff;
  }
}
