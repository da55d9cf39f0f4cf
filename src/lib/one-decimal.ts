/** Numbers with one digit behind the point, as C's printf writes them: what lies just between two goes to the even one. */

export function oneDecimal(value: number): string {
  // of all numbers that lie between two, only odd multiples of a quarter can be told exactly in binary
  const quarters = value * 4;
  if (!Number.isInteger(quarters) || quarters % 2 === 0) return value.toFixed(1);
  const below = Math.floor(value * 10);
  return ((below % 2 === 0 ? below : below + 1) / 10).toFixed(1);
}
