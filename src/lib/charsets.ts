/** Octets of one character set to octets of another, for decoded header text. */

import { lower } from './octets.ts';

/**
 * Translates octets (as a byte string) from `from` to `to`. Answers nothing when either set is unknown or a character
 * has no place in the target.
 */
export function translate(octets: string, from: string, to: string): string | undefined {
  const source = lower(from);
  const target = lower(to);
  if (source === 'us-ascii' && /[\x80-\xff]/.test(octets)) return undefined;
  if (source === target || (!/[\x80-\xff]/.test(octets) && !/^(?:utf-?(?:16|32|7)|iso-2022|hz)/.test(source)))
    return octets;
  let text: string;
  try {
    text = new TextDecoder(source, { fatal: true }).decode(Buffer.from(octets, 'latin1'));
  } catch {
    return undefined;
  }
  if (target === 'utf-8' || target === 'utf8') return Buffer.from(text, 'utf8').toString('latin1');
  const highest = target === 'iso-8859-1' ? 0xff : target === 'us-ascii' ? 0x7f : -1;
  for (const character of text) if ((character.codePointAt(0) ?? 0) > highest) return undefined;
  return text;
}

/** Whether a character set of that name is known. */
export function isCharset(name: string): boolean {
  try {
    return new TextDecoder(lower(name)).encoding !== '';
  } catch {
    return false;
  }
}
