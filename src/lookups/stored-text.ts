/** Text in binary tables as C programs keep it: it ends at the first binary zero, if there is one. */
export function untilZero(text: string): string {
  const zero = text.indexOf('\0');
  return zero < 0 ? text : text.slice(0, zero);
}
