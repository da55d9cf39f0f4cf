/** Numbers of a filter: as the C library reads them with `%i`, in 32 bits (Exim's filter specification 3.10, 3.23). */

const largest = 2n ** 63n - 1n;
/** More digits than any number has that is not too large. */
const mostDigits = 64;

/** A decimal, octal (`0…`) or hexadecimal (`0x…`) number at the start, and what follows it. */
export function readNumber(text: string): { readonly value: number; readonly rest: string } | undefined {
  const [whole, sign, digits = ''] =
    /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9A-Fa-f]+|0[0-7]*(?![xX][0-9A-Fa-f])|[1-9][0-9]*)/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const notation = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const found = digits.length > mostDigits ? largest : BigInt(notation);
  const bounded = found > largest ? largest : found;
  return { value: Number(BigInt.asIntN(32, sign === '-' ? -bounded : bounded)), rest: text.slice(whole.length) };
}

/** A number with `K` or `M` behind it; nothing when it is none. */
export function sizeOf(text: string): number | undefined {
  const number = readNumber(text);
  const [, letter] = /^([KkMm]?)[ \t\n\v\f\r]*$/.exec(number?.rest ?? '?') ?? [];
  if (number === undefined || letter === undefined) return undefined;
  const factor = letter === '' ? 1 : /[Kk]/.test(letter) ? 1024 : 1024 * 1024;
  return Math.imul(number.value, factor);
}
