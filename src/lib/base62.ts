/** Numbers in base 62, digits 0-9 A-Z a-z, as message ids hold them (Exim spec 3.4). */

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `value` in base 62 with at least `width` digits. */
export function base62(value: number | bigint, width: number): string {
  let rest = BigInt(value);
  let text = '';
  while (rest > 0n) {
    text = `${digits[Number(rest % 62n)]}${text}`;
    rest /= 62n;
  }
  return text.padStart(width, '0');
}

/** The number that `text` stands for, or nothing when a character is not a digit of base 62. */
export function fromBase62(text: string): number | undefined {
  let value = 0;
  for (const character of text) {
    const digit = digits.indexOf(character);
    if (digit < 0) return undefined;
    value = value * 62 + digit;
  }
  return value;
}
