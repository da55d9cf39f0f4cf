/**
 * The settings in front of the URL of an LDAP query: `user="…" pass=… size=…` (Exim spec 9.18). What came from outside
 * never ends a value and never begins a setting.
 */

import { lower } from '../lib/octets.ts';
import { Taints } from '../safe/query-taints.ts';
import { Text } from '../safe/taint.ts';

export interface LdapSettings {
  /** Without the quotes around it; quoting for LDAP is still in it. */
  readonly user: Text | undefined;
  readonly password: Text | undefined;
  readonly servers: Text | undefined;
  /** Entries, seconds, seconds; 0 is no limit. */
  readonly size: number;
  readonly time: number;
  readonly netTime: number;
  readonly dereference: 'never' | 'search' | 'find' | 'always';
  readonly followReferrals: boolean;
  /** The rest of the query. */
  readonly url: Text;
}

const dereferences: Readonly<Record<string, LdapSettings['dereference']>> = {
  never: 'never',
  searching: 'search',
  finding: 'find',
  always: 'always',
};

const known: ReadonlySet<string> = new Set([
  'user',
  'pass',
  'size',
  'time',
  'connect',
  'nettime',
  'dereference',
  'referrals',
  'servers',
]);

const malformed = { error: 'malformed parameter setting precedes LDAP URL' };

const isBlank = (character: string | undefined): boolean => character !== undefined && /[ \t-\r]/.test(character);

/** A value and where it ends; nothing when its quotes are not in order. */
function readValue(
  text: Text,
  taints: Taints,
  start: number,
): { readonly value: Text; readonly end: number } | undefined {
  const { value } = text;
  let at = start;
  if (value[at] === '"' && taints.at(at) === 'clean') {
    const parts: Text[] = [];
    at++;
    let from = at;
    for (; at < value.length; at++) {
      if (taints.at(at) !== 'clean') continue;
      if (value[at] === '"') {
        parts.push(text.slice(from, at));
        return { value: Text.join(parts), end: at + 1 };
      }
      if (value[at] === '\\') {
        parts.push(text.slice(from, at));
        from = at + 1;
        at++;
      }
    }
    return undefined;
  }
  while (at < value.length && (taints.at(at) !== 'clean' || !isBlank(value[at]))) at++;
  return { value: withoutQuotes(text.slice(start, at)), end: at };
}

/** A value from outside that was put in quotes as a whole, as the operator `quote` does it. */
function withoutQuotes(text: Text): Text {
  const [, inner] = /^"((?:[^"\\]|\\.)*)"$/s.exec(text.value) ?? [];
  if (inner === undefined) return text;
  return Text.derived(
    inner.replace(/\\(.)/gs, (_all, octet: string) => (octet === 'n' ? '\n' : octet === 'r' ? '\r' : octet)),
    text,
  );
}

/** @returns the settings, or what is wrong with them */
export function parseLdapSettings(text: Text): LdapSettings | { readonly error: string } {
  const found = new Map<string, Text>();
  const taints = new Taints(text);
  const { value } = text;
  let at = 0;
  for (;;) {
    while (isBlank(value[at])) at++;
    if (lower(value.slice(at, at + 4)) === 'ldap') break;
    const name = /^([A-Za-z]*)[ \t-\r]*=/.exec(value.slice(at, at + 60));
    if (name === null || !taints.areClean(at, at + name[0].length)) return malformed;
    let from = at + name[0].length;
    while (isBlank(value[from]) && taints.at(from) === 'clean' && name[0].length > (name[1] ?? '').length + 1) from++;
    const setting = readValue(text, taints, from);
    if (setting === undefined || !isBlank(value[setting.end]) || taints.at(setting.end) !== 'clean') return malformed;
    const key = lower(name[1] ?? '');
    if (!known.has(key) || name[0].length !== key.length + 1) {
      return { error: `unknown parameter "${name[0]}" precedes LDAP URL` };
    }
    found.set(key, setting.value);
    at = setting.end;
  }
  const number = (name: string): number => Number(/^\d{1,9}/.exec(found.get(name)?.value ?? '')?.[0] ?? 0);
  const referrals = lower(found.get('referrals')?.value ?? 'follow');
  if (referrals !== 'follow' && referrals !== 'nofollow') {
    return { error: 'LDAP option REFERRALS is not "follow" or "nofollow"' };
  }
  return {
    user: found.get('user'),
    password: found.get('pass'),
    servers: found.get('servers'),
    size: number('size'),
    time: number('time'),
    netTime: Math.max(number('nettime'), number('connect')),
    dereference: dereferences[lower(found.get('dereference')?.value ?? '')] ?? 'never',
    followReferrals: referrals === 'follow',
    url: text.slice(at),
  };
}
