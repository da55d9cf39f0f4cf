/** Punycode (RFC 3492): characters beyond ASCII written in letters, digits and hyphens, one label at a time. */

import { lower } from './octets.ts';

const base = 36;
const least = 1;
const most = 26;
const initialBias = 72;
const initialCode = 128;

const digits = 'abcdefghijklmnopqrstuvwxyz0123456789';

function adapt(delta: number, count: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / 700) : delta >> 1;
  rest += Math.floor(rest / count);
  let k = 0;
  for (; rest > ((base - least) * most) >> 1; k += base) rest = Math.floor(rest / (base - least));
  return k + Math.floor(((base - least + 1) * rest) / (rest + 38));
}

const threshold = (k: number, bias: number): number => Math.min(Math.max(k - bias, least), most);

/** The characters of `text`, with those in ASCII in front; the time grows with the square of the length. */
export function encodePunycode(text: string): string {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  let result = codes
    .filter((code) => code < initialCode)
    .map((code) => String.fromCharCode(code))
    .join('');
  const basic = result.length;
  if (basic > 0) result += '-';
  let delta = 0;
  let bias = initialBias;
  let next = initialCode;
  for (let done = basic; done < codes.length; ) {
    let lowest = 0x110000;
    for (const code of codes) if (code >= next && code < lowest) lowest = code;
    delta += (lowest - next) * (done + 1);
    next = lowest;
    for (const code of codes) {
      if (code < next) delta++;
      if (code !== next) continue;
      result += variableLength(delta, bias);
      bias = adapt(delta, done + 1, done === basic);
      delta = 0;
      done++;
    }
    delta++;
    next++;
  }
  return result;
}

function variableLength(delta: number, bias: number): string {
  let text = '';
  let rest = delta;
  for (let k = base; ; k += base) {
    const limit = threshold(k, bias);
    if (rest < limit) return text + (digits[rest] ?? '');
    text += digits[limit + ((rest - limit) % (base - limit))] ?? '';
    rest = Math.floor((rest - limit) / (base - limit));
  }
}

/** The characters that `text` stands for, or libidn's words for why it stands for none. */
export function decodePunycode(text: string): { readonly text: string } | { readonly error: string } {
  const hyphen = text.lastIndexOf('-');
  const codes = hyphen > 0 ? Array.from(text.slice(0, hyphen), (character) => character.charCodeAt(0)) : [];
  if (codes.some((code) => code >= initialCode)) return { error: 'Invalid input' };
  let at = hyphen > 0 ? hyphen + 1 : 0;
  let position = 0;
  let bias = initialBias;
  let next = initialCode;
  while (at < text.length) {
    const start = position;
    let weight = 1;
    for (let k = base; ; k += base) {
      const digit = digitValue(text[at++] ?? '');
      if (digit === undefined) return { error: 'Invalid input' };
      position += digit * weight;
      const limit = threshold(k, bias);
      if (position > 0xffffffff) return { error: 'String size limit exceeded' };
      if (digit < limit) break;
      weight *= base - limit;
    }
    const count = codes.length + 1;
    bias = adapt(position - start, count, start === 0);
    next += Math.floor(position / count);
    if (next > 0x10ffff) return { error: 'String size limit exceeded' };
    position %= count;
    codes.splice(position++, 0, next);
  }
  return { text: String.fromCodePoint(...codes) };
}

/** libidn, which the real Exim asks, takes blanks and punctuation before `0` for digits, too. */
function digitValue(character: string): number | undefined {
  if (character === '') return undefined;
  const code = lower(character).charCodeAt(0);
  if (code >= 97 && code <= 122) return code - 97;
  return code >= 22 && code <= 57 ? code - 22 : undefined;
}
