/** `ldap`, `ldapdn` and `ldapm`: LDAP directories (Exim spec 9.14 - 9.19). */

import { upper } from '../lib/octets.ts';
import type { Kind } from './ldap-database.ts';
import { defineLookup, openedLate } from './lookup.ts';

const percent = (octet: string): string => `%${upper(octet.charCodeAt(0).toString(16)).padStart(2, '0')}`;

/** Octets that have a meaning in URLs, and octets above 127. */
const foreign = /[^A-Za-z0-9!$'\-._()*+]/g;

function quoteFilter(text: string): string {
  return text.replace(/[*()\\]/g, (octet) => `\\${percent(octet).slice(1)}`).replace(foreign, percent);
}

function quoteName(text: string): string {
  const body = text.replace(/[,+"\\<>;]/g, '\\$&');
  const start = /^[ #]*/.exec(body)?.[0] ?? '';
  const middle = body.slice(start.length);
  const end = / *$/.exec(middle)?.[0] ?? '';
  const all = [...start, middle.slice(0, middle.length - end.length), ...end];
  return all
    .map((part) => (part === ' ' || part === '#' ? `\\${part}` : part))
    .join('')
    .replace(foreign, percent);
}

function ldapLookup(kind: Kind, doc: string) {
  return defineLookup({
    name: kind,
    doc,
    style: 'query',
    options: [],
    vouches: true,
    open: openedLate(async (surroundings) => new (await import('./ldap-database.ts')).LdapDatabase(kind, surroundings)),
    quote: quoteFilter,
    quoteAs: new Map([['dn', quoteName]]),
  });
}

export const ldap = ldapLookup('ldap', 'one entry of an LDAP directory');
export const ldapdn = ldapLookup('ldapdn', 'the name of an entry of an LDAP directory');
export const ldapm = ldapLookup('ldapm', 'entries of an LDAP directory');
