/** Quotas as options write them: `10M`, `1.5G`, `25000000/no_check`, and thresholds such as `75%` (Exim spec 26.2). */

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

/** Reads a value, or nothing when the text is none. */
export function parseQuota(text: string): QuotaValue | undefined {
  const found = /^\s*(\d+(?:\.\d*)?)\s*([kmgKMG]?)(%?)\s*((?:\/\s*\w+\s*)*)$/.exec(text);
  if (found === null) return undefined;
  const [, digits, unit = '', percent, modifiers = ''] = found;
  const value = Math.floor(Number(digits) * (factors.get(unit.toLowerCase()) ?? 1));
  return { value, isChecked: !/\/\s*no_check\b/.test(modifiers), isPercentage: percent === '%' };
}
