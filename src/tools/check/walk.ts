/** All nodes and conditions of an expansion. */

import type { Condition, Node } from '../../expand/tree.ts';

export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  switch (node.kind) {
    case 'sequence':
      for (const part of node.parts) yield* nodesOf(part);
      break;
    case 'operator':
      yield* nodesOf(node.operand);
      break;
    case 'item':
      for (const each of node.arguments) yield* nodesOf(each);
      for (const condition of node.condition === undefined ? [] : conditionsWithin(node.condition)) {
        for (const each of condition.arguments) yield* nodesOf(each);
      }
      if (node.yes !== undefined) yield* nodesOf(node.yes);
      if (node.no !== undefined && node.no !== 'fail') yield* nodesOf(node.no);
      break;
    case 'literal':
    case 'variable':
    case 'header':
    case 'mistake':
  }
}

function* conditionsWithin(condition: Condition): Generator<Condition> {
  yield condition;
  for (const each of condition.conditions) yield* conditionsWithin(each);
}

/** Conditions, however deep. */
export function* conditionsOf(node: Node): Generator<Condition> {
  for (const each of nodesOf(node)) {
    if (each.kind === 'item' && each.condition !== undefined) yield* conditionsWithin(each.condition);
  }
}

/** The text of a node that is nothing but text. */
export function literalText(node: Node | undefined): string | undefined {
  if (node?.kind === 'literal') return node.text;
  if (node?.kind !== 'sequence') return undefined;
  const texts = node.parts.map((part) => (part.kind === 'literal' ? part.text : undefined));
  return texts.includes(undefined) ? undefined : texts.join('');
}
