/**
 * What is defined and used nowhere: macros, named lists, ACLs, transports. A name counts as used when any other line has
 * it as a word, so that what is only built at run time is not told.
 */

import type { Config } from '../../config/config.ts';
import type { ListKind } from '../../expand/context.ts';
import { type Place, type Remark, remark } from './remark.ts';

/** How often each word stands in the lines of a configuration. */
function wordsOf(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    for (const [word] of line.matchAll(/[A-Za-z0-9_]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

const listWords: Readonly<Record<ListKind, string>> = {
  domain: 'domainlist',
  host: 'hostlist',
  address: 'addresslist',
  localpart: 'localpartlist',
};

export function* unused(config: Config): Generator<Remark> {
  // names in an Exim 3 text are those of the translation, which defines more than it needs
  if (config.dialect === 3) return;
  const words = wordsOf(config.lines);
  const isUsed = (name: string): boolean => name.split(/[^A-Za-z0-9_]/).every((word) => (words.get(word) ?? 0) > 1);
  const told = (what: string, name: string, place?: Place): Remark => remark(`${what} ${name} is not used`, place);
  for (const { name, used, fromCommandLine, place } of config.macros) {
    if (!used && !fromCommandLine) yield told('macro', name, place);
  }
  for (const [kind, lists] of Object.entries(config.namedLists) as [ListKind, Config['namedLists'][ListKind]][]) {
    for (const [name, { place }] of lists) if (!isUsed(name)) yield told(listWords[kind], name, place);
  }
  for (const { name, place } of config.acls.values()) if (!isUsed(name)) yield told('ACL', name, place);
  for (const { name, place } of config.transports.values()) if (!isUsed(name)) yield told('transport', name, place);
}
