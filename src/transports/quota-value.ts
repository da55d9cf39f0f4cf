/** Quotas as options write them: `10M`, `1.5G`, `25000000/no_check`, and thresholds such as `75%` (Exim spec 26.2). */

import { lower } from '../lib/octets.ts';

export interface QuotaValue {
  readonly value: number;
  /** `no_check`: the limit is kept in files, but nothing is refused. */
  readonly isChecked: boolean;
  /** The number was a percentage. */
  readonly isPercentage: boolean;
}

const factors: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
]);

/** Reads a value, or nothing when the text is none. One below zero is no limit. */
export function parseQuota(text: string): QuotaValue | undefined {
  const found = /^[ \t-\r]*(-?\d+(?:\.\d*)?)[ \t-\r]*([kmgKMG]?)(%?)[ \t-\r]*((?:\/[ \t-\r]*\w+[ \t-\r]*)*)$/.exec(
    text,
  );
  if (found === null) return undefined;
  const [, digits, unit = '', percent, modifiers = ''] = found;
  const value = Math.floor(Number(digits) * (factors.get(lower(unit)) ?? 1));
  return { value, isChecked: !/\/[ \t-\r]*no_check\b/.test(modifiers), isPercentage: percent === '%' };
}
