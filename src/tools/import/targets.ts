/**
 * Lists of targets as sendmail writes them (aliases, .forward, :include: files): read into targets, and targets written as
 * redirection data (Exim spec 22.5). Addresses without a domain get one.
 */

import { lower, trim } from '../../lib/octets.ts';
import { endOfAddress, parseAddress, quoteLocalPart } from '../../mail/address.ts';
import type { Target } from './record.ts';

/** Items of one list. */
export const mostTargets = 50_000;

/** The items of a list with commas between them; quotes, comments and angle brackets hold commas. */
export function splitTargets(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = endOfAddress(text, at);
    const item = trim(text.slice(at, end));
    if (item !== '') found.push(item);
    at = end + 1;
  }
  return found;
}

/** An item that is wholly in double quotes, without them. */
function unquoted(item: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(item)?.[1];
  return inner === undefined ? item : trim(inner.replace(/\\(.)/gs, '$1'));
}

const special = /^:(blackhole|fail|defer):(.*)$/s;

/** What one item means: a target, a file of further items, or why it is neither. */
export function readTarget(
  item: string,
  domain: string | undefined,
): Target | { readonly include: string } | { readonly error: string } {
  const plain = unquoted(item);
  const [, word, text = ''] = special.exec(plain) ?? [];
  if (word === 'blackhole' || word === 'fail' || word === 'defer') return { kind: 'special', word, text: trim(text) };
  const included = /^:include:(.*)$/s.exec(plain)?.[1];
  if (included !== undefined) return { include: unquoted(trim(included)) };
  if (plain.startsWith('|')) {
    const command = unquoted(trim(plain.slice(1)));
    return command === '' ? { error: 'a program is missing behind the bar' } : { kind: 'pipe', command };
  }
  const isAddress = !('error' in parseAddress(plain)) && plain.includes('@');
  if (plain.startsWith('/') && !isAddress) {
    return plain === '/dev/null' ? { kind: 'special', word: 'blackhole', text: '' } : { kind: 'file', path: plain };
  }
  return readAddress(plain.startsWith('\\') ? plain.slice(1) : plain, domain);
}

/** An address, with the domain it gets when it has none. */
export function readAddress(text: string, domain: string | undefined): Target | { readonly error: string } {
  const parsed = parseAddress(text, { allowDomainLiterals: true });
  if ('error' in parsed) return { error: `"${text}" is no address: ${parsed.error}` };
  if (parsed.localPart === '') return { error: 'an address is empty' };
  if (parsed.domain !== undefined) return { kind: 'address', address: `${parsed.localPart}@${lower(parsed.domain)}` };
  if (domain === undefined) return { error: `"${text}" has no domain, and none was given for such addresses` };
  return { kind: 'address', address: `${parsed.localPart}@${domain}` };
}

/** The address that is a key of our tables, as a target: with the quotes that a key has not. */
export function keyTarget(key: string): Target {
  const at = key.lastIndexOf('@');
  return { kind: 'address', address: `${quoteLocalPart(key.slice(0, at))}${key.slice(at)}` };
}

/** One target as an item of redirection data. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case 'address':
      return target.address;
    case 'pipe':
      return quotedIfNeeded(`|${target.command}`);
    case 'file':
      return quotedIfNeeded(target.path);
    case 'special':
      return target.text === '' ? `:${target.word}:` : `:${target.word}: ${target.text}`;
  }
}

/** Quotes hold what would end the item. */
function quotedIfNeeded(text: string): string {
  return /[",\\#()<]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
}

/** Mail that goes elsewhere, too, is not thrown away: in redirection data `:blackhole:` would do that to all of it. */
function withoutBlackhole(targets: readonly Target[]): readonly Target[] {
  const others = targets.filter((target) => target.kind !== 'special' || target.word !== 'blackhole');
  return others.length > 0 ? others : targets.slice(0, 1);
}

/** All targets as redirection data. */
export function targetsText(targets: readonly Target[]): string {
  return withoutBlackhole(targets).map(targetText).join(', ');
}

/** Characters that mean something to a shell. */
const shellCharacters = /[^A-Za-z0-9_@%+=:,./ \t-]/;

/**
 * A command that the old system gave to a shell, in a directory. Exim's pipe transport runs programs without one; so a
 * shell is named where the command needs it.
 */
export function shellCommand(command: string, directory: string): string {
  if (command.startsWith('/') && !shellCharacters.test(command)) return command;
  const text = `cd ${shellWord(directory)} && ${command}`;
  return `/bin/sh -c "${text.replace(/["\\]/g, '\\$&')}"`;
}

function shellWord(text: string): string {
  return shellCharacters.test(text) || text.includes(' ') ? `'${text.replaceAll("'", `'\\''`)}'` : text;
}
