/** LDAP queries: settings and a URL (Exim spec 9.15, RFC 4516), taken apart before anything is put together. */

import { lower } from '../lib/octets.ts';
import { longestQuery } from '../safe/query-taints.ts';
import { type Clean, clean, type Text } from '../safe/taint.ts';
import { BadFilter, type LdapFilter, MisplacedText, parseFilter } from './ldap-filter.ts';
import { decodePercent, distinguishedName, ldapQuotings, octetsOf, splitAtClean } from './ldap-octets.ts';
import { type LdapSettings, parseLdapSettings } from './ldap-settings.ts';

export type LdapScheme = 'ldap' | 'ldaps' | 'ldapi';
export type LdapScope = 'base' | 'one' | 'sub';

/** What is looked for, as byte strings. */
export interface LdapSearch {
  readonly base: string;
  readonly attributes: readonly string[];
  readonly scope: LdapScope;
  readonly filter: LdapFilter;
}

export interface LdapQuery {
  readonly settings: LdapSettings;
  readonly scheme: LdapScheme;
  /** A host or the path of a socket; empty for the default servers. */
  readonly host: string;
  readonly port: number | undefined;
  readonly search: LdapSearch;
  /** Who asks; empty for nobody. */
  readonly user: string;
  readonly password: string;
  /** Whether who asks is the same each time. */
  readonly isConstantUser: boolean;
  /** Whether text from outside was not quoted for LDAP; Exim writes a line to the log. */
  readonly unquoted: boolean;
}

export type LdapParsing =
  | LdapQuery
  /** Exim defers. */
  | { readonly error: string }
  /** Text from outside stands where it may not: the expansion fails. */
  | { readonly refused: string };

const scopes: Readonly<Record<string, LdapScope>> = {
  '': 'base',
  base: 'base',
  one: 'one',
  onetree: 'one',
  sub: 'sub',
  subtree: 'sub',
};

function refusal(text: Text): { readonly refused: string } {
  return {
    refused: `tainted text in an LDAP query may only stand in values of a name or a filter, as in (uid=\${quote_ldap:$local_part}): ${text.value}`,
  };
}

interface UrlParts {
  readonly scheme: LdapScheme;
  readonly host: string;
  readonly port: number | undefined;
  readonly rest: Text;
}

function takeServer(url: Text): UrlParts | { readonly error: string } | 'tainted' {
  const [all = '', scheme = ''] = /^(ldap[si]?):\/\//i.exec(url.value) ?? [];
  if (all === '') {
    const start = url.value.slice(0, 16);
    return {
      error: `LDAP URL does not start with "ldap://", "ldaps://", or "ldapi://" (it starts with "${start}...")`,
    };
  }
  const [server, ...others] = splitAtClean(url.slice(all.length), '/');
  const place: Clean | undefined = server && clean(server);
  if (place === undefined || clean(url.slice(0, all.length)) === undefined) return 'tainted';
  const bad = { error: `ldap_url_parse: (error 5) parsing "${url.value}"\n` };
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:?]*))(?::(\d{1,5}))?$/s.exec(place) ?? [];
  if (bracketed === undefined && plain === undefined) return bad;
  const used = all.length + place.length + 1;
  return {
    scheme: lower(scheme) as LdapScheme,
    host: decodePercent(bracketed ?? plain ?? ''),
    port: port === undefined ? undefined : Number(port),
    rest: others.length === 0 ? url.slice(url.value.length) : url.slice(used),
  };
}

function searchOf(rest: Text, url: string): LdapSearch | { readonly error: string } | 'tainted' {
  const [base, attributes, scope, filter, extensions] = splitAtClean(rest, '?');
  const name = base === undefined ? '' : distinguishedName(octetsOf(base));
  if (name === undefined) return 'tainted';
  for (const part of [attributes, scope, extensions]) if (part !== undefined && !part.isClean) return 'tainted';
  const foundScope = scopes[lower(decodePercent(scope?.value ?? ''))];
  if (foundScope === undefined) return { error: `ldap_url_parse: (error 8) parsing "${url}"\n` };
  if (extensions?.value === '') return { error: `ldap_url_parse: (error 10) parsing "${url}"\n` };
  try {
    return {
      base: name,
      attributes: (attributes?.value ?? '')
        .split(',')
        .map(decodePercent)
        .filter((word) => word !== ''),
      scope: foundScope,
      filter: parseFilter(filter === undefined ? { text: '', fromOutside: [] } : octetsOf(filter)),
    };
  } catch (error) {
    if (error instanceof MisplacedText) return 'tainted';
    if (error instanceof BadFilter) return { error: 'ldap_search failed: -7, Bad search filter' };
    throw error;
  }
}

/** Takes a query apart. */
export function parseLdapQuery(text: Text): LdapParsing {
  if (text.value.length > longestQuery) return { error: 'a query is longer than 1 MB' };
  const settings = parseLdapSettings(text);
  if ('error' in settings) return settings;
  const { url, user, password, servers } = settings;
  const server = takeServer(url);
  if (server === 'tainted' || servers?.isClean === false) return refusal(text);
  if ('error' in server) return server;
  const search = searchOf(server.rest, url.value);
  if (search === 'tainted') return refusal(text);
  if ('error' in search) return search;
  const userName = user === undefined ? '' : distinguishedName(octetsOf(user));
  if (userName === undefined) return refusal(text);
  const { scheme, host, port } = server;
  return {
    settings,
    scheme,
    host,
    port,
    search,
    user: userName,
    password: password?.value ?? '',
    isConstantUser: user?.isClean !== false && password?.isClean !== false,
    unquoted: url.pieces.some(({ taint }) => taint !== 'clean' && !ldapQuotings.has(taint)),
  };
}
