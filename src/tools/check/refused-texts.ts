/**
 * What in a configuration will always be refused: file names, directories and programs that are made of what a client
 * said (Exim spec 9.2, 11.3: tainted data), regular expressions that are none, and those that take too long. Only what is
 * sure is told.
 */

import type { Config } from '../../config/config.ts';
import type { ItemNode, Node } from '../../expand/tree.ts';
import { isTaintedVariable } from '../../expand/variables.ts';
import { checkPatterns } from './patterns.ts';
import { type Remark, warning } from './remark.ts';
import { type PlacedTemplate, templatesOf } from './templates.ts';
import { nodesOf } from './walk.ts';

/** Options that name files, directories and programs. */
const paths: ReadonlySet<string> = new Set([
  'command',
  'current_directory',
  'directory',
  'file',
  'home_directory',
  'log_file_path',
  'quota_directory',
  'router_home_directory',
  'spool_directory',
  'transport_current_directory',
  'transport_home_directory',
]);

/** Operators whose result is a number or a word of their own. */
const harmless: ReadonlySet<string> = new Set(['eval', 'eval10', 'hash', 'nhash', 'strlen', 'stat', 'time_eval']);

const remedies: ReadonlyMap<string, string> = new Map([
  ['local_part', '$local_part_data is what a lookup or list has vouched for'],
  ['domain', '$domain_data is what a lookup or list has vouched for'],
]);

const remedyFor = (name: string): string => remedies.get(name.slice(1)) ?? 'look the value up in a table of yours';

/** The variable or header line that makes a text untrusted whatever happens; nothing when that is not sure. */
function culprit(node: Node): string | undefined {
  switch (node.kind) {
    case 'literal':
    case 'mistake':
      return undefined;
    case 'variable':
      return isTaintedVariable(node.name) ? `$${node.name}` : undefined;
    case 'header':
      return `$${node.form}_${node.name}:`;
    case 'sequence':
      return firstOf(node.parts);
    case 'operator':
      return harmless.has(node.name.replace(/_.*/, '')) ? undefined : culprit(node.operand);
    case 'item':
      return culpritOfItem(node);
  }
}

function firstOf(nodes: readonly Node[]): string | undefined {
  for (const node of nodes) {
    const found = culprit(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An item is bad for sure when all of its results are. */
function culpritOfItem({ name, arguments: args, yes, no }: ItemNode): string | undefined {
  if (name === 'if' || name === 'lookup') {
    const good = yes === undefined ? undefined : culprit(yes);
    const other = no === undefined || no === 'fail' ? good : culprit(no);
    return good !== undefined && other !== undefined ? good : undefined;
  }
  return yes === undefined && (name === 'sg' || name === 'tr' || name === 'extract')
    ? firstOf(args.slice(-3))
    : undefined;
}

function* inPaths({ place, where, option, template }: PlacedTemplate): Generator<Remark> {
  if (!paths.has(option)) return;
  // only the program of a command is a name; its arguments may be anything
  const { tree } = template;
  const first = option === 'command' && tree.kind === 'sequence' ? tree.parts.slice(0, 1) : [tree];
  const found = firstOf(first);
  if (found === undefined) return;
  yield warning(
    `${place} is made of ${found}, which nobody has vouched for, and will always be refused: ${remedyFor(found)}`,
    where,
  );
}

/** Items that open a file, with the number of the argument that names it. */
const openers: ReadonlyMap<string, { readonly argument: number; readonly what: string }> = new Map([
  ['lookup', { argument: 1, what: 'the file of a lookup' }],
  ['readfile', { argument: 0, what: 'the file of ${readfile}' }],
]);

function* inItems({ place, where, template }: PlacedTemplate): Generator<Remark> {
  for (const node of nodesOf(template.tree)) {
    if (node.kind !== 'item') continue;
    const opener = openers.get(node.name);
    const name = opener === undefined ? undefined : node.arguments[opener.argument];
    const found = name === undefined ? undefined : culprit(name);
    if (opener === undefined || found === undefined) continue;
    const refused = `is made of ${found}, which nobody has vouched for, and will always be refused`;
    yield warning(`${place}: ${opener.what} ${refused}: ${remedyFor(found)}`, where);
  }
}

export function* refusedTexts(config: Config): Generator<Remark> {
  for (const placed of templatesOf(config)) {
    yield* inPaths(placed);
    yield* inItems(placed);
    yield* checkPatterns(placed);
  }
}
