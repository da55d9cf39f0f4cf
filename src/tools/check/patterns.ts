/** The regular expressions of a configuration: in lists, in `match` and `sg`, in the conditions of ACLs that scan. */

import { trim } from '../../lib/octets.ts';
import { RegexSyntaxError, regex } from '../../lib/regex.ts';
import { isExplosive } from './explosive.ts';
import { type Remark, warning } from './remark.ts';
import type { PlacedTemplate } from './templates.ts';
import { conditionsOf, literalText, nodesOf } from './walk.ts';

/** Conditions of ACLs that are lists whose items may be patterns. */
const scannedLists: ReadonlySet<string> = new Set([
  'domains',
  'hosts',
  'local_parts',
  'mime_regex',
  'recipients',
  'regex',
  'sender_domains',
  'senders',
]);

/** Items of a list; a doubled separator is one character of an item. */
function itemsOf(list: string): string[] {
  const changed = /^[ \t]*<([!-/:-@[-`{-~])/.exec(list);
  const separator = changed?.[1] ?? ':';
  return list
    .slice(changed?.[0].length ?? 0)
    .replaceAll(separator + separator, '\0')
    .split(separator)
    .map((item) => trim(item).replaceAll('\0', separator));
}

function* patternsIn({ option, template, list }: PlacedTemplate): Generator<string> {
  const { tree } = template;
  if (list !== undefined || scannedLists.has(option)) {
    const text = literalText(tree);
    const isScan = option === 'regex' || option === 'mime_regex';
    for (const item of text === undefined ? [] : itemsOf(text)) {
      const plain = item.replace(/^![ \t]*/, '');
      if (plain.startsWith('^') || isScan) yield plain;
    }
  }
  for (const { name, arguments: args } of conditionsOf(tree)) {
    const pattern = name === 'match' ? literalText(args[1]) : undefined;
    if (pattern !== undefined) yield pattern;
  }
  for (const node of nodesOf(tree)) {
    const pattern = node.kind === 'item' && node.name === 'sg' ? literalText(node.arguments[1]) : undefined;
    if (pattern !== undefined) yield pattern;
  }
}

/** What is wrong with a pattern as such. */
function mistake(pattern: string): string | undefined {
  try {
    regex(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof RegexSyntaxError) return error.message;
    throw error;
  }
}

export function* checkPatterns(placed: PlacedTemplate): Generator<Remark> {
  const { place, where } = placed;
  for (const pattern of patternsIn(placed)) {
    const problem = mistake(pattern);
    if (problem !== undefined) yield warning(`${place}: ${pattern} is no regular expression: ${problem}`, where);
    else if (isExplosive(pattern)) {
      const why = 'repeats a repetition; it may take too long and is then given up';
      yield warning(`${place}: the regular expression ${pattern} ${why}`, where);
    }
  }
}
