/** Reads what stands behind the slashes of `verify = sender/callout=10s,defer_ok/no_details` (Exim spec 44.45, 44.47, 44.49). */

import { parseInterval } from '../../lib/intervals.ts';
import { trim } from '../../lib/octets.ts';
import type { CalloutOptions, QuotaOptions, VerifyOptions } from '../verifier.ts';

/** What is verified; some parameters make sense for one of them only. */
export type Subject = 'sender' | 'recipient' | 'header_sender';

interface Wrong {
  readonly error: string;
}

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Those of the callout as they are written: times that are not given follow from each other. */
type Written = Omit<Changeable<CalloutOptions>, 'connectTimeout' | 'longest'> & {
  connectTimeout: number | undefined;
  longest: number | undefined;
};

type Change = (callout: Written) => void;
type TextChange = (callout: Written, text: string) => void;
type TimeChange = (callout: Written, seconds: number) => void;

const usualTimeout = 30;
/** How many times its timeout a callout may take when nothing else is said. */
const patience = 4;

const switches: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['defer_ok', (callout) => (callout.deferOk = true)],
  ['no_cache', (callout) => (callout.noCache = true)],
  ['random', (callout) => (callout.random = true)],
  ['use_sender', (callout) => (callout.sender = 'of the message')],
  ['use_postmaster', (callout) => (callout.sender = 'postmaster')],
  ['postmaster', (callout) => (callout.postmasterSender = '')],
  [
    'fullpostmaster',
    (callout) => {
      callout.postmasterSender = '';
      callout.fullPostmaster = true;
    },
  ],
  ['hold', (callout) => (callout.hold = true)],
]);

const texts: ReadonlyMap<string, TextChange> = new Map<string, TextChange>([
  ['mailfrom', (callout, text) => (callout.mailFrom = text)],
  ['postmaster_mailfrom', (callout, text) => (callout.postmasterSender = text)],
]);

const times: ReadonlyMap<string, TimeChange> = new Map<string, TimeChange>([
  ['connect', (callout, seconds) => (callout.connectTimeout = seconds)],
  ['maxwait', (callout, seconds) => (callout.longest = seconds)],
]);

/** Words of their own in older configurations. */
const olderWords: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['callout_defer_ok', (callout) => (callout.deferOk = true)],
  ['check_postmaster', (callout) => (callout.postmasterSender = '')],
]);

const newCallout = (): Written => ({
  timeout: usualTimeout,
  connectTimeout: undefined,
  longest: undefined,
  deferOk: false,
  noCache: false,
  random: false,
  postmasterSender: undefined,
  fullPostmaster: false,
  sender: 'empty',
  mailFrom: '',
  hold: false,
});

/** `source` is the whole condition, for messages. */
export function parseVerifyOptions(parts: readonly string[], subject: Subject, source: string): VerifyOptions | Wrong {
  const options: Changeable<VerifyOptions> = {
    deferOk: false,
    noDetails: false,
    successOnRedirect: false,
    callout: undefined,
  };
  let callout: Written | undefined;
  for (const part of parts) {
    const older = olderWords.get(part);
    if (part === 'defer_ok') options.deferOk = true;
    else if (part === 'no_details') options.noDetails = true;
    else if (part === 'success_on_redirect') options.successOnRedirect = true;
    else if (older !== undefined) {
      callout ??= newCallout();
      older(callout);
    } else if (part.startsWith('callout')) {
      callout ??= newCallout();
      const wrong = readCallout(part, callout, subject, source);
      if (wrong !== undefined) return wrong;
    } else if (part.startsWith('quota')) {
      if (subject !== 'recipient') return { error: 'can only verify quota of recipient' };
      const quota = readQuota(part);
      if (quota === undefined) return badTime(source);
      options.quota = quota;
    } else return { error: `unknown option "${part}" in ACL condition "verify ${source}"` };
  }
  if (callout === undefined) return options;
  if (subject === 'sender' && callout.sender !== 'empty') {
    return { error: 'use_sender or use_postmaster cannot be used for a sender verify callout' };
  }
  const { timeout, connectTimeout = timeout, longest = patience * timeout } = callout;
  return { ...options, callout: { ...callout, connectTimeout, longest } };
}

/** The items behind `name =`; nothing when there is not even that. */
function itemsOf(part: string, name: string, source: string): readonly string[] | Wrong {
  const rest = trim(part.slice(name.length));
  if (rest === '') return [];
  if (!rest.startsWith('=')) return { error: `'=' expected after "${name}" in ACL condition "${source}"` };
  const items = rest
    .slice(1)
    .split(',')
    .map((item) => trim(item));
  // the last comma may have nothing behind it
  return items.at(-1) === '' ? items.slice(0, -1) : items;
}

function readCallout(part: string, callout: Written, subject: Subject, source: string): Wrong | undefined {
  const items = itemsOf(part, 'callout', source);
  if ('error' in items) return items;
  for (const item of items) {
    const wrong = readItem(item, callout, subject, source);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const quotaTimes: ReadonlyMap<string, keyof QuotaOptions> = new Map([
  ['cachepos', 'positive'],
  ['cacheneg', 'negative'],
]);

/** What makes no sense is passed over, as Exim does; nothing when a time is none. */
function readQuota(part: string): QuotaOptions | undefined {
  const quota: Changeable<QuotaOptions> = { positive: 5 * 60, negative: 60 * 60 };
  const rest = trim(part.slice('quota'.length));
  for (const item of rest.startsWith('=') ? rest.slice(1).split(',') : []) {
    const [name = '', value] = item.split('=').map((each) => trim(each));
    if (name === 'no_cache') Object.assign(quota, { positive: 0, negative: 0 });
    const which = quotaTimes.get(name);
    if (which === undefined || value === undefined) continue;
    const seconds = parseInterval(value);
    if (seconds === undefined) return undefined;
    quota[which] = seconds;
  }
  return quota;
}

const badTime = (source: string): Wrong => ({ error: `bad time value in ACL condition "verify ${source}"` });

function readItem(item: string, callout: Written, subject: Subject, source: string): Wrong | undefined {
  const simple = switches.get(item);
  if (simple !== undefined) {
    simple(callout);
    return undefined;
  }
  const name = [...texts.keys(), ...times.keys()].find((each) => item.startsWith(each));
  if (name === undefined) {
    const seconds = parseInterval(item);
    if (seconds === undefined) return badTime(source);
    callout.timeout = seconds;
    return undefined;
  }
  if (name === 'mailfrom' && subject !== 'header_sender') {
    return {
      error: `"mailfrom" is allowed as a callout option only for verify=header_sender (detected in ACL condition "${source}")`,
    };
  }
  const rest = trim(item.slice(name.length));
  if (!rest.startsWith('=')) return { error: `'=' expected after "${name}" in ACL verify condition "${source}"` };
  const value = trim(rest.slice(1));
  texts.get(name)?.(callout, value);
  const change = times.get(name);
  if (change === undefined) return undefined;
  const seconds = parseInterval(value);
  if (seconds === undefined) return badTime(source);
  change(callout, seconds);
  return undefined;
}
