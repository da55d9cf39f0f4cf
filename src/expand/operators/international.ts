/**
 * Operators between UTF-8 and the A-label form of names (Exim spec 60.1): domains by IDNA, label by label; a local part
 * as one label in Punycode, with nothing prepared.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { printing } from '../../lib/escapes.ts';
import { joinList, splitList } from '../../lib/list-text.ts';
import { lower } from '../../lib/octets.ts';
import { decodePunycode, encodePunycode } from '../../lib/punycode.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';

type Converted = { readonly text: string } | { readonly error: string };

const prefix = 'xn--';

/** Names longer than this are no names, and Punycode takes its time. */
const maximumLength = 1000;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function characters(octets: string): string | undefined {
  try {
    return decoder.decode(Buffer.from(octets, 'latin1'));
  } catch {
    return undefined;
  }
}

const octets = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** What IDNA 2008 forbids beyond UTS 46: symbols and punctuation, but for those that have a place in words. */
const isDisallowed = (text: string): boolean =>
  /[^\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Nd}\x2d_.\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb]/u.test(text);

export function domainToAlabel(domain: string): Converted {
  if (/^[\x00-\x7f]*$/.test(domain)) return { text: domain };
  const unicode = characters(domain);
  if (unicode === undefined) return { error: 'string encoding error' };
  if (/(?:^|\.)xn--[^.]*[^\x00-\x7f.]/.test(unicode)) return { error: 'string contains invalid punycode data' };
  const labels: string[] = [];
  for (const label of unicode.split(/[.\u3002\uff0e\uff61]/)) {
    const converted = /^[\x00-\x7f]*$/.test(label) ? { text: lower(label) } : labelToAlabel(label);
    if ('error' in converted) return converted;
    labels.push(converted.text);
  }
  return { text: labels.join('.') };
}

function labelToAlabel(unicode: string): Converted {
  const ascii = domainToASCII(unicode);
  // a soft hyphen and its like stand for nothing
  if (ascii === '' && /^(?:\u00ad|\u200b|\u2060|\ufeff|[\ufe00-\ufe0f])*$/.test(unicode)) return { text: '' };
  const shown = ascii === '' ? unicode : domainToUnicode(ascii);
  if (/^-|-$/.test(shown)) return { error: 'string start/ends with forbidden hyphen' };
  if (/[\x00-\x2c/\x3a-\x60\x7b-\x7f]/.test(shown.replace(/[A-Z_]/g, ''))) return { error: 'A-label roundtrip failed' };
  if (isDisallowed(shown.replace(/[A-Z]/g, ''))) return { error: 'string contains a disallowed character' };
  if (ascii === '') return { error: 'string has forbidden bi-directional properties' };
  if (ascii.length > 63) return { error: 'punycode encoded data will be too large' };
  return { text: ascii };
}

function labelFromAlabel(label: string): Converted {
  if (!label.startsWith(prefix)) return { text: label };
  const decoded = decodePunycode(label.slice(prefix.length));
  return 'error' in decoded ? decoded : { text: octets(decoded.text) };
}

function domainFromAlabel(domain: string): Converted {
  const labels: string[] = [];
  for (const label of splitList(`<.${domain}`).items) {
    const decoded = labelFromAlabel(label);
    if ('error' in decoded) return decoded;
    if (labels.length > 0 || decoded.text !== '') labels.push(decoded.text);
  }
  return { text: joinList(labels, '.') };
}

export function localPartToAlabel(localPart: string): Converted {
  if (/^[\x00-\x7f]*$/.test(localPart)) return { text: localPart };
  const unicode = characters(localPart);
  return unicode === undefined ? { error: 'l_u2a: bad UTF-8 input' } : { text: `${prefix}${encodePunycode(unicode)}` };
}

function localPartFromAlabel(localPart: string): Converted {
  return localPart.startsWith(prefix) ? labelFromAlabel(localPart) : { error: 'bad alabel prefix' };
}

const conversion = (
  name: string,
  doc: string,
  from: string,
  to: string,
  convert: (text: string) => Converted,
): Operator => ({
  name,
  doc,
  evaluate: ({ value }) => {
    const converted = value.length > maximumLength ? { error: 'String size limit exceeded' } : convert(value);
    return 'error' in converted
      ? fail(`error converting ${from} (${printing(value).replaceAll('\\t', '\t')}) to ${to}: ${converted.error}`)
      : converted.text;
  },
});

export const internationalOperators: readonly Operator[] = [
  conversion('utf8_domain_to_alabel', 'a domain in A-label form', 'utf8', 'alabel', domainToAlabel),
  conversion('utf8_domain_from_alabel', 'a domain in UTF-8', 'alabel', 'utf8', domainFromAlabel),
  conversion('utf8_localpart_to_alabel', 'a local part in A-label form', 'utf8', 'alabel', localPartToAlabel),
  conversion('utf8_localpart_from_alabel', 'a local part in UTF-8', 'alabel', 'utf8', localPartFromAlabel),
];
