/** Time intervals such as `3h50m` (Exim spec 6.16), in seconds. */

const unitSeconds: ReadonlyMap<string, number> = new Map([
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]);

/** The interval in seconds, or nothing when the text is not one. */
export function parseInterval(text: string): number | undefined {
  // no time that is meant to be one is longer
  if (text.length > 1000 || !/^(?:\d+[wdhms])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)([wdhms])/g)) {
    total += Number(digits) * (unitSeconds.get(unit ?? 's') ?? 1);
    if (total > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return total;
}

/** The interval in its shortest form: `90` is `1m30s`, 0 is `0s`. */
export function formatInterval(interval: number): string {
  let rest = Math.abs(Math.trunc(interval));
  let text = interval < 0 ? '-' : '';
  if (rest === 0) return '0s';
  for (const [unit, size] of unitSeconds) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** A time that passed, for log lines: as an interval, or in seconds with three decimals (log selector millisec). */
export function formatPassed(seconds: number, withDecimals: boolean): string {
  return withDecimals ? `${Math.max(seconds, 0).toFixed(3)}s` : formatInterval(Math.floor(Math.max(seconds, 0)));
}
