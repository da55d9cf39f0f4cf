/** Retry rules as they stand in the configuration (Exim spec 32.2 - 32.7). */

import { compileTemplate, type Template } from '../expand/expand.ts';
import { parseInterval } from '../lib/intervals.ts';
import { trim, upper } from '../lib/octets.ts';
import type { ListSetting } from '../lists/option.ts';
import { nextWord } from './words.ts';

/** The error that a rule is for. */
export type RetryError =
  | { readonly kind: 'any' }
  | {
      readonly kind: 'auth_failed' | 'lost_connection' | 'lookup' | 'tls_required';
    }
  | { readonly kind: 'refused'; readonly via: 'MX' | 'A' | undefined }
  | { readonly kind: 'timeout'; readonly connect: boolean; readonly via: 'MX' | 'A' | undefined }
  /** `unread`: seconds since the mailbox was read. */
  | { readonly kind: 'quota'; readonly unread: number }
  /** A reply of 4xx; `code` is a pattern of three digits in which `x` is any. */
  | { readonly kind: 'reply'; readonly command: 'mail' | 'rcpt' | 'data'; readonly code: string };

/** One step of a rule; times in seconds. */
export interface RetryStep {
  readonly algorithm: 'F' | 'G' | 'H';
  /** Counted from the first failure. */
  readonly cutoff: number;
  readonly interval: number;
  readonly factor: number;
}

export interface RetryRule {
  readonly pattern: ListSetting;
  readonly error: RetryError;
  /** The error's name as it is written. */
  readonly errorName: string;
  readonly senders: ListSetting | undefined;
  readonly steps: readonly RetryStep[];
}

const simple: ReadonlyMap<string, RetryError> = new Map<string, RetryError>([
  ['auth_failed', { kind: 'auth_failed' }],
  ['lost_connection', { kind: 'lost_connection' }],
  ['lookup', { kind: 'lookup' }],
  ['tls_required', { kind: 'tls_required' }],
  ['quota', { kind: 'quota', unread: 0 }],
  ['refused', { kind: 'refused', via: undefined }],
  ['refused_MX', { kind: 'refused', via: 'MX' }],
  ['refused_A', { kind: 'refused', via: 'A' }],
  ['timeout', { kind: 'timeout', connect: false, via: undefined }],
  ['timeout_MX', { kind: 'timeout', connect: false, via: 'MX' }],
  ['timeout_A', { kind: 'timeout', connect: false, via: 'A' }],
  ['timeout_connect', { kind: 'timeout', connect: true, via: undefined }],
  ['timeout_connect_MX', { kind: 'timeout', connect: true, via: 'MX' }],
  ['timeout_connect_A', { kind: 'timeout', connect: true, via: 'A' }],
]);

const groups: readonly { readonly begins: RegExp; readonly message: (name: string) => string }[] = [
  { begins: /^refused_/, message: () => 'A or MX expected after "refused"' },
  { begins: /^timeout_/, message: () => '"A", "MX", or "connect" expected after "timeout"' },
  { begins: /^quota_/, message: () => 'bad time value' },
  {
    begins: /^(?:mail|rcpt|data)_4/,
    message: (name) => `${name} must be followed by xx, dx, or dd, where x is literal and d is any digit`,
  },
];

/** The error of that name, or why it is none. */
export function parseRetryError(name: string): RetryError | { readonly error: string } {
  const known = simple.get(name);
  if (known !== undefined) return known;
  const unread = name.startsWith('quota_') ? parseInterval(name.slice('quota_'.length)) : undefined;
  if (unread !== undefined) return { kind: 'quota', unread };
  const [, command, code] = /^(mail|rcpt|data)_(4(?:xx|\dx|\d\d))$/.exec(name) ?? [];
  if (command !== undefined && code !== undefined) {
    return { kind: 'reply', command: command as 'mail' | 'rcpt' | 'data', code };
  }
  const group = groups.find(({ begins }) => begins.test(name));
  const stem = /^[a-z]+_4?/.exec(name)?.[0] ?? name;
  return { error: group?.message(stem) ?? `unknown or malformed retry error "${name}"` };
}

const pattern = (source: string): ListSetting => ({ kind: 'address', template: singleItem(source) });

/** A pattern is one item of an address list, so a colon in it separates nothing. */
function singleItem(source: string): Template {
  return compileTemplate(source.replaceAll(':', '::'));
}

const anyError: RetryError = { kind: 'any' };

type Parsed = { readonly rule: RetryRule } | { readonly error: string };

const fail = (error: string): { readonly error: string } => ({ error });

/** Reads a line of the retry section. */
export function parseRetryRule(line: string): Parsed {
  const first = nextWord(line);
  if (first === undefined) return fail('missing quote at end of string value in retry rule');
  const second = nextWord(first.rest);
  if (second === undefined || second.value === '') return fail('missing error type in retry rule');
  const error = second.value === '*' ? anyError : parseRetryError(second.value);
  if ('error' in error) return error;
  let { rest } = second;
  let senders: ListSetting | undefined;
  if (/^senders[ \t-\r]*=/i.test(rest)) {
    const list = nextWord(rest.replace(/^senders[ \t-\r]*=/i, ''));
    if (list === undefined) return fail('missing quote at end of string value in retry rule');
    senders = { kind: 'address', template: compileTemplate(list.value) };
    rest = list.rest;
  }
  const steps = parseSteps(rest);
  if ('error' in steps) return steps;
  return { rule: { pattern: pattern(first.value), error, errorName: second.value, senders, ...steps } };
}

function parseSteps(text: string): { readonly steps: readonly RetryStep[] } | { readonly error: string } {
  const steps: RetryStep[] = [];
  let rest = trim(text);
  while (rest !== '') {
    const letter = upper(rest.slice(0, 1));
    if (letter !== 'F' && letter !== 'G' && letter !== 'H') return fail('unknown retry rule letter');
    const count = letter === 'F' ? 2 : 3;
    const found = (
      count === 2
        ? /^.[ \t-\r]*,([^,;]*),([^,; \t-\r]*)[ \t-\r]*(.*)$/s
        : /^.[ \t-\r]*,([^,;]*),([^,;]*),([^,; \t-\r]*)[ \t-\r]*(.*)$/s
    ).exec(rest);
    if (found === null) return fail('comma expected');
    const [, cutoffText = '', intervalText = '', factorText = '1'] = found;
    const cutoff = parseInterval(trim(cutoffText));
    const interval = parseInterval(trim(intervalText));
    const factor = count === 2 ? 1 : Number(factorText);
    if (cutoff === undefined || interval === undefined || !(factor >= 1) || interval <= 0) {
      return fail('bad parameters for retry rule');
    }
    steps.push({ algorithm: letter, cutoff, interval, factor });
    const after = found[count + 1] ?? '';
    if (after !== '' && !after.startsWith(';')) return fail('semicolon expected');
    rest = trim(after.slice(1));
  }
  return { steps };
}
