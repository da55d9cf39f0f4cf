/**
 * The parts of an LDAP URL as octets that know whether they came from outside (Exim spec 9.15, 9.16). What came from
 * outside is always a value and never part of the URL's, the filter's or the name's own writing: quoting for LDAP is
 * undone, so that what is left is what stood in the mail, and it is quoted anew for the place it stands in.
 */

import { Taints } from '../safe/query-taints.ts';
import type { Text } from '../safe/taint.ts';

/** A byte string, and for each octet whether it came from outside. */
export interface Octets {
  readonly text: string;
  readonly fromOutside: readonly boolean[];
}

/** What a piece may be quoted with: the types of LDAP lookups share their quoting. */
export const ldapQuotings: ReadonlySet<string> = new Set(['quoted:ldap', 'quoted:ldapdn', 'quoted:ldapm']);

const percent = /%([0-9A-Fa-f]{2})/g;

/** Octets behind `%` in a URL. */
export function decodePercent(text: string): string {
  return text.includes('%')
    ? text.replace(percent, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

const quotedOctet = /\\(?:([0-9A-Fa-f]{2})|([,+"\\<>;#= ]))/g;

/** Undoes `quote_ldap` and `quote_ldap_dn`. */
function unquoted(text: string): string {
  return decodePercent(text).replace(quotedOctet, (_all, hex: string | undefined, character: string | undefined) =>
    hex === undefined ? (character ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** A part of a URL without its percent signs. */
export function octetsOf(part: Text): Octets {
  let text = '';
  const fromOutside: boolean[] = [];
  for (const { value, taint } of mergedPieces(part)) {
    const outside = taint !== 'clean';
    const decoded = !outside ? decodePercent(value) : ldapQuotings.has(taint) ? unquoted(value) : value;
    text += decoded;
    for (let i = 0; i < decoded.length; i++) fromOutside.push(outside);
  }
  return { text, fromOutside };
}

/** Pieces of the same taint that stand side by side as one: an escape may begin in one and end in the next. */
function mergedPieces(text: Text): { value: string; taint: string }[] {
  const merged: { value: string; taint: string }[] = [];
  for (const { value, taint } of text.pieces) {
    const last = merged.at(-1);
    if (last?.taint === taint) last.value += value;
    else merged.push({ value, taint });
  }
  return merged;
}

/** The parts between the question marks of the configuration. */
export function splitAtClean(text: Text, separator: string): Text[] {
  const taints = new Taints(text);
  const parts: Text[] = [];
  let start = 0;
  for (let at = text.value.indexOf(separator); at >= 0; at = text.value.indexOf(separator, at + 1)) {
    if (taints.at(at) !== 'clean') continue;
    parts.push(text.slice(start, at));
    start = at + 1;
  }
  parts.push(start === 0 ? text : text.slice(start));
  return parts;
}

const special = /[\x00-\x1f,+"\\<>;#= \x7f]/;

/**
 * A distinguished name. What came from outside is escaped (RFC 4514 §2.4), and may only stand where a value does.
 * @returns nothing when it stands elsewhere
 */
export function distinguishedName({ text, fromOutside }: Octets): string | undefined {
  let name = '';
  let isValue = false;
  for (let at = 0; at < text.length; at++) {
    const octet = text[at] ?? '';
    if (fromOutside[at] === true) {
      if (!isValue) return undefined;
      name += special.test(octet) ? `\\${octet.charCodeAt(0).toString(16).padStart(2, '0')}` : octet;
      continue;
    }
    name += octet;
    if (octet === '\\') {
      if (fromOutside[at + 1] === true) return undefined;
      name += text[++at] ?? '';
    } else if (octet === '=') isValue = true;
    else if (octet === ',' || octet === ';' || octet === '+') isValue = false;
  }
  return name;
}
