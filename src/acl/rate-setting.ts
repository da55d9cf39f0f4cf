/**
 * Reads what stands behind `ratelimit =`: `m / p / options / key` (Exim spec 44.39 - 44.43). What is no option is part
 * of the key, as in the real program, so a misspelt option only makes another key.
 */

import { parseInterval } from '../lib/intervals.ts';
import { lower, trim } from '../lib/octets.ts';
import type { Phase } from './acl.ts';

/** Whether the recorded rate is changed: below the limit only, always, never. */
export type UpdateMode = 'leaky' | 'strict' | 'readonly';
/** For how long one measurement holds, however often the condition is tested. */
export type Scope = 'connection' | 'message' | 'recipient' | 'command';

export interface RateSetting {
  readonly limit: number;
  /** As written, for `$sender_rate_limit` and `$sender_rate_period`. */
  readonly limitText: string;
  readonly periodText: string;
  /** Seconds. */
  readonly period: number;
  readonly scope: Scope;
  readonly mode: UpdateMode;
  /** How much is added; nothing for what the scope says. */
  readonly count: number | undefined;
  /** The event, when only different ones are counted. */
  readonly unique: string | undefined;
  /** Measures octets, or recipients. */
  readonly counts: 'one' | 'octets' | 'recipients';
  /** Of the hints database. */
  readonly key: string;
}

interface Measure {
  readonly name: string;
  readonly scope: Scope;
  readonly counts: RateSetting['counts'];
  /** Each recipient counts once. */
  readonly addresses: boolean;
  /** Where it makes no sense: there the rate is only read. */
  readonly readOnlyIn: (phase: Phase) => boolean;
}

const withMessage: readonly Phase[] = ['MAIL', 'RCPT', 'PREDATA', 'DATA', 'PRDR', 'non-SMTP'];
const withRecipients: readonly Phase[] = ['RCPT', 'PREDATA', 'DATA', 'PRDR'];
const local: readonly Phase[] = ['non-SMTP', 'non-SMTP-start'];

const perMail: Measure = {
  name: 'per_mail',
  scope: 'message',
  counts: 'one',
  addresses: false,
  readOnlyIn: (phase) => !withMessage.includes(phase),
};
/** What is meant when nothing is said, where there is no message yet: every command counts with the messages. */
const perMailWithout: Measure = { ...perMail, scope: 'command', readOnlyIn: () => false };
const perRcpt: Measure = {
  name: 'per_rcpt',
  scope: 'recipient',
  counts: 'recipients',
  addresses: false,
  readOnlyIn: (phase) => !withRecipients.includes(phase),
};

const measures: ReadonlyMap<string, Measure> = new Map<string, Measure>([
  ['per_mail', perMail],
  ['per_byte', { ...perMail, counts: 'octets' }],
  ['per_rcpt', perRcpt],
  ['per_addr', { ...perRcpt, addresses: true, readOnlyIn: (phase) => phase !== 'RCPT' }],
  [
    'per_conn',
    {
      name: 'per_conn',
      scope: 'connection',
      counts: 'one',
      addresses: false,
      readOnlyIn: (phase) => local.includes(phase),
    },
  ],
  ['per_cmd', { name: 'per_cmd', scope: 'command', counts: 'one', addresses: false, readOnlyIn: () => false }],
]);

const modes: ReadonlySet<string> = new Set<UpdateMode>(['leaky', 'strict', 'readonly']);

function isMode(word: string): word is UpdateMode {
  return modes.has(word);
}

const factors: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
]);

/** A number that may have a fraction, with K, M or G; an empty text is zero. */
function amount(text: string): number | undefined {
  if (text === '') return 0;
  const [, digits, unit = ''] = /^\+?(\d+\.?\d*(?:[eE][-+]?\d{1,2})?|\.\d+)([kmgKMG]?)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (factors.get(lower(unit)) ?? 1);
}

export interface RateSurroundings {
  readonly phase: Phase;
  /** The key when the setting has none. */
  readonly hostAddress: string;
  readonly recipient: string;
}

const maximumKey = 2000;

/** The setting, or what is wrong with it in Exim's words. */
export function parseRateSetting(text: string, around: RateSurroundings): RateSetting | { readonly error: string } {
  const wrong = (what: string): { readonly error: string } => ({
    error: `error in arguments to "ratelimit" condition: ${what}`,
  });
  const [limitText = '', periodText, ...rest] = text.split('/').map((part) => trim(part));
  if (trim(text) === '') return wrong('sender rate limit not set');
  const limit = amount(limitText);
  if (limit === undefined) return wrong(`"${limitText}" is not a positive number`);
  const period = parseInterval(periodText ?? '');
  // an empty word is none: Exim's own text for it
  if (!period || periodText === undefined) return wrong(`"${periodText || 'NULL'}" is not a time value`);
  let measure: Measure | undefined;
  let mode: UpdateMode | undefined;
  let noUpdate = false;
  let count: number | undefined;
  let unique: string | undefined;
  const key: string[] = [];
  for (const part of rest) {
    const word = lower(part);
    const named = measures.get(word);
    if (named !== undefined) {
      if (measure !== undefined) return wrong('conflicting per_* options');
      measure = named;
    } else if (isMode(word)) {
      if (mode !== undefined && mode !== word) return wrong('conflicting update modes');
      mode = word;
    } else if (word === 'noupdate') noUpdate = true;
    else if (word.startsWith('count=')) {
      count = amount(part.slice('count='.length));
      if (count === undefined) return wrong(`"${part}" is not a positive number`);
    } else if (word.startsWith('unique=')) unique = part.slice('unique='.length);
    else key.push(part);
  }
  measure ??= withMessage.includes(around.phase) ? perMail : perMailWithout;
  if (measure.readOnlyIn(around.phase)) {
    if (mode === 'leaky' || mode === 'strict') {
      const place = `cannot be used in ${around.phase} ACL`;
      return wrong(`"${measure.name}" must not have /leaky or /strict option, or ${place}`);
    }
    mode = 'readonly';
  }
  if (noUpdate) mode = 'readonly';
  if (measure.addresses) unique ??= around.recipient;
  const whose = key.length > 0 ? key.join('/') : around.hostAddress;
  const parts = [periodText, measure.name, ...(unique === undefined ? [] : ['unique']), whose];
  const whole = parts.join('/').replaceAll('\0', '');
  if (whole.length > maximumKey) return wrong('the key is too long');
  const { scope, counts } = measure;
  return { limit, limitText, periodText, period, scope, mode: mode ?? 'leaky', count, unique, counts, key: whole };
}
