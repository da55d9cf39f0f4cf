/** Prefixes and suffixes of local parts (Exim spec 15, local_part_prefix). */

import { lower } from '../lib/octets.ts';

export interface Affix {
  /** What was taken off. */
  readonly text: string;
  /** What an asterisk in it stood for. */
  readonly variable: string;
}

const none: Affix = { text: '', variable: '' };

/** The first prefix of the list that the local part begins with; an asterisk at its start takes as much as possible. */
export function findPrefix(localPart: string, prefixes: readonly string[]): Affix | undefined {
  const subject = lower(localPart);
  for (const prefix of prefixes) {
    const fixed = lower(prefix.replace(/^\*/, ''));
    if (fixed !== lower(prefix)) {
      const at = subject.lastIndexOf(fixed);
      if (at >= 0) {
        return { text: localPart.slice(0, at + fixed.length), variable: localPart.slice(0, at) };
      }
    } else if (fixed !== '' && subject.startsWith(fixed)) {
      return { text: localPart.slice(0, fixed.length), variable: '' };
    }
  }
  return undefined;
}

/** The first suffix of the list that the local part ends with; an asterisk at its end takes as much as possible. */
export function findSuffix(localPart: string, suffixes: readonly string[]): Affix | undefined {
  const subject = lower(localPart);
  for (const suffix of suffixes) {
    const fixed = lower(suffix.replace(/\*$/, ''));
    if (fixed !== lower(suffix)) {
      const at = subject.indexOf(fixed);
      const isFound = at >= 0 && at < subject.length;
      if (isFound) return { text: localPart.slice(at), variable: localPart.slice(at + fixed.length) };
    } else if (fixed !== '' && fixed.length < subject.length && subject.endsWith(fixed)) {
      return { text: localPart.slice(localPart.length - fixed.length), variable: '' };
    }
  }
  return undefined;
}

export interface AffixRules {
  readonly prefixes: readonly string[] | undefined;
  readonly prefixOptional: boolean;
  readonly suffixes: readonly string[] | undefined;
  readonly suffixOptional: boolean;
}

export interface WithoutAffixes {
  readonly localPart: string;
  readonly prefix: Affix;
  readonly suffix: Affix;
}

/** The local part without its affixes; a text says which affix is missing when the router is to be skipped. */
export function removeAffixes(localPart: string, rules: AffixRules): WithoutAffixes | { readonly skip: string } {
  let rest = localPart;
  let prefix = none;
  let suffix = none;
  if (rules.prefixes !== undefined) {
    const found = findPrefix(rest, rules.prefixes);
    if (found === undefined && !rules.prefixOptional) return { skip: 'prefix mismatch' };
    prefix = found ?? none;
    rest = rest.slice(prefix.text.length);
  }
  if (rules.suffixes !== undefined) {
    const found = findSuffix(rest, rules.suffixes);
    if (found === undefined && !rules.suffixOptional) return { skip: 'suffix mismatch' };
    suffix = found ?? none;
    rest = rest.slice(0, rest.length - suffix.text.length);
  }
  return { localPart: rest, prefix, suffix };
}
