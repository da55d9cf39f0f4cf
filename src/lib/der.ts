/** Reads ASN.1 as certificates have it (DER, X.690): values with a tag, one in another. What is cut off or wrong is none. */

export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length in front, as a signature covers it. */
  readonly whole: Buffer;
}

/** Values that one sequence may have. */
const mostValues = 10_000;

/** The value at the beginning, and where the next one begins. */
function valueAt(octets: Buffer, at: number): { readonly value: DerValue; readonly end: number } | undefined {
  const [tag, first] = [octets[at], octets[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const long = first & 0x80 ? first & 0x7f : 0;
  if (long > 4 || first === 0x80) return undefined;
  const length = long === 0 ? first : at + 2 + long > octets.length ? -1 : octets.readUIntBE(at + 2, long);
  const start = at + 2 + long;
  if (length < 0 || start + length > octets.length) return undefined;
  const end = start + length;
  return { value: { tag, content: octets.subarray(start, end), whole: octets.subarray(at, end) }, end };
}

/** The values that stand one behind the other. */
export function derValues(octets: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < octets.length && values.length < mostValues; ) {
    const found = valueAt(octets, at);
    if (found === undefined) break;
    values.push(found.value);
    at = found.end;
  }
  return values;
}

/** `1.2.840.113549` */
export function objectIdentifier({ content }: DerValue): string {
  const numbers: number[] = [];
  let number = 0;
  for (const octet of content) {
    number = number * 128 + (octet & 0x7f);
    if (octet & 0x80) continue;
    if (numbers.length === 0) {
      const first = Math.min(Math.floor(number / 40), 2);
      numbers.push(first, number - first * 40);
    } else numbers.push(number);
    number = 0;
  }
  return numbers.join('.');
}

const utcTime = 0x17;

/** Milliseconds since 1970; not a number where there is no time in UTC. */
export function derTime(value: DerValue | undefined): number {
  if (value === undefined) return Number.NaN;
  const text = value.content.toString('latin1');
  const century = value.tag === utcTime ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') : '';
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(century + text) ?? [];
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? 0));
  return parts.length === 0 ? Number.NaN : Date.UTC(year, month - 1, day, hour, minute, second);
}
