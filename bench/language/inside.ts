/** Questions that the program answers inside, asked directly. */

import type { Context } from '../../src/expand/context.ts';
import type { Node } from '../../src/expand/tree.ts';
import { matchList } from '../../src/lists/match.ts';
import { Text } from '../../src/safe/taint.ts';
import { conditionsOf, nodesOf } from '../../src/tools/check/walk.ts';

/** Whether a domain is in a named list. */
export function matchNamed(list: string, domain: string, context: Context): boolean {
  const answer = matchList('domain', domain, Text.configured(`+${list}`), context);
  if (answer instanceof Promise) throw new Error('the list does not answer at once');
  return answer.outcome === 'match';
}

/** Nodes of an expansion, its conditions counted as nodes. */
export function nodeCount(tree: Node): number {
  const parts = [...nodesOf(tree)].filter(({ kind }) => kind !== 'sequence');
  return parts.length + [...conditionsOf(tree)].length;
}
