/** What an LDAP search found, as text (Exim spec 9.19). */

import type { LdapEntry } from './ldap-connection.ts';

/** Octets of an answer. */
const longest = 16 * 1024 * 1024;

const doubled = (values: readonly string[]): string => values.map((value) => value.replaceAll(',', ',,')).join(',');

function quoted(values: readonly string[]): string {
  return `"${doubled(values).replace(/["\\\n]/g, (octet) => (octet === '\n' ? '\\n' : `\\${octet}`))}"`;
}

function entryText({ attributes }: LdapEntry, isOne: boolean): string {
  if (isOne) return [...attributes.values()].map(doubled).join(',');
  return [...attributes].map(([name, values]) => `${name}=${quoted(values)}`).join(' ');
}

/**
 * The text of the entries, one below the other; nothing when none has an attribute. With `isOne` a single attribute was
 * asked for, which stands there without its name.
 */
export function ldapAnswer(entries: readonly LdapEntry[], isOne: boolean): string | undefined {
  if (entries.every(({ attributes }) => attributes.size === 0)) return undefined;
  const parts: string[] = [];
  let length = 0;
  for (const entry of entries) {
    const text = entryText(entry, isOne);
    // nothing stands before the first text
    if (length > 0) parts.push('\n');
    parts.push(text);
    length += text.length + (length > 0 ? 1 : 0);
    if (length > longest) throw new Error('the answer to an LDAP query is longer than 16 MB');
  }
  return parts.join('');
}
