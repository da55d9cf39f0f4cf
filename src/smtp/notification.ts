/** When a recipient's sender wants to be told (RFC 3461 §4.1): the words of NOTIFY and the numbers that the spool keeps. */

import { upper } from '../lib/octets.ts';

export type Occasion = 'SUCCESS' | 'FAILURE' | 'DELAY';

const never = 2;
/** In the order in which they are passed on. */
const numbers: ReadonlyMap<string, number> = new Map([
  ['SUCCESS', 4],
  ['FAILURE', 8],
  ['DELAY', 16],
]);

/** What NOTIFY says as a number; nothing when it makes no sense, 0 when it is empty. */
export function notifyFlags(value: string): number | undefined {
  if (value === '') return 0;
  if (upper(value) === 'NEVER') return never;
  let flags = 0;
  for (const word of value.split(',')) {
    const flag = numbers.get(upper(word));
    if (flag === undefined) return undefined;
    flags |= flag;
  }
  return flags;
}

/** The value of NOTIFY that says so. */
export function notifyWords(flags: number): string {
  if ((flags & never) !== 0) return 'NEVER';
  return [...numbers].flatMap(([word, flag]) => ((flags & flag) === 0 ? [] : [word])).join(',');
}

/** The same without the wish to be told of success. */
export function withoutSuccess(flags: number): number {
  return flags & ~(numbers.get('SUCCESS') ?? 0);
}

/** Whether a report is wanted; who said nothing wants to know what went wrong. */
export function wantsReport(flags: number, occasion: Occasion): boolean {
  if (flags === 0) return occasion !== 'SUCCESS';
  return (flags & (numbers.get(occasion) ?? 0)) !== 0;
}
