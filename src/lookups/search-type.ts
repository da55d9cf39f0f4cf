/** Search types as they are written: `partial2(.)dbm*@,ret=key` (Exim spec 9.1, 9.6, 9.7). */

import { trim } from '../lib/octets.ts';
import type { Lookup } from './lookup.ts';

export interface SearchType {
  readonly driver: Lookup;
  /** The least number of components that are left of a shortened key; nothing for an exact search. */
  readonly partial: number | undefined;
  /** What is put before a shortened key. */
  readonly affix: string;
  /** `*` searches for `*` at last; `*@` before that for `*@domain`. */
  readonly standard: '' | '*' | '*@';
  readonly options: ReadonlyMap<string, string>;
}

const form = /^(?:partial(\d*)(?:\(([^)]*)\)|-))?([a-z][^*,]*)(?:(\*@|\*)[^,]*)?(?:,(.*))?$/s;

/** Takes a search type apart, or says what is wrong with it. */
export function parseSearchType(
  text: string,
  drivers: ReadonlyMap<string, Lookup>,
): SearchType | { readonly error: string } {
  const found = form.exec(text);
  const [, digits, affix = '*.', name = '', standard = '', optionText] = found ?? [];
  const driver = drivers.get(name);
  const misformed = text.startsWith('partial') && (digits === undefined || !/^[!-/:-@[-`{-~]*$/.test(affix));
  if (misformed) return { error: `format error in lookup type "${text}"` };
  if (driver === undefined) return { error: `unknown lookup type "${name === '' ? text : name}"` };
  if (driver.style === 'query') {
    if (digits !== undefined) return { error: `"partial" is not permitted for lookup type "${name}"` };
    if (standard !== '') {
      return { error: `defaults using "*" or "*@" are not permitted for lookup type "${name}${standard}"` };
    }
  }
  const options = new Map<string, string>();
  for (const option of optionText?.split(',') ?? []) {
    const [key = '', ...value] = option.split('=');
    options.set(trim(key), trim(value.join('=')));
  }
  return {
    driver,
    partial: digits === undefined ? undefined : digits === '' ? 2 : Number(digits),
    affix,
    standard: standard === '*' || standard === '*@' ? standard : '',
    options,
  };
}

export interface KeyToTry {
  readonly key: string;
  /** The parts that an asterisk stood for and that were fixed; `$1` and `$2` when this key is found. */
  readonly wild?: string;
  readonly fixed?: string;
}

/** The keys that are looked for one after the other. */
export function* keysToTry(key: string, type: SearchType): Generator<KeyToTry> {
  // nothing at all is no key, but it can have the default
  if (key !== '') yield type.partial === undefined ? { key } : { key, wild: '', fixed: key };
  if (key !== '' && type.partial !== undefined) yield* partialKeys(key, type.partial, type.affix);
  if (type.standard === '*@') {
    const at = key.lastIndexOf('@');
    if (at > 0) yield { key: `*${key.slice(at)}`, wild: key.slice(0, at), fixed: '' };
  }
  if (type.standard !== '') yield { key: '*', wild: key, fixed: '' };
}

/** `*.key`, then ever shorter tails with at least `least` components; at last, for partial0, the affix alone: then as in Exim, `$1` lacks the last octet. */
function* partialKeys(key: string, least: number, affix: string): Generator<KeyToTry> {
  if (affix !== '') yield { key: `${affix}${key}`, wild: '', fixed: key };
  let start = 0;
  for (;;) {
    const dot = key.indexOf('.', start);
    if (dot < 0) break;
    start = dot + 1;
    const tail = key.slice(start);
    if (tail.split('.').length < least) return;
    yield { key: `${affix}${tail}`, wild: key.slice(0, dot), fixed: tail };
  }
  if (least === 0 && affix !== '') {
    yield {
      key: affix.length > 1 && affix.endsWith('.') ? affix.slice(0, -1) : affix,
      wild: key.slice(0, -1),
      fixed: '',
    };
  }
}
