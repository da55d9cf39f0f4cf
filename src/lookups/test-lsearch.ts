/** The text of an `lsearch` file with these entries, for tests: every key quoted. */
export function lsearchOf(entries: readonly (readonly [key: string, value: string])[]): string {
  return entries.map(([key, value]) => `"${key.replace(/[\\"]/g, '\\$&')}": ${value}\n`).join('');
}
