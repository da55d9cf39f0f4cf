/**
 * What in a configuration will always be refused as untrusted (Exim spec 9.2, 11.3: tainted data): file names, directories
 * and programs that are made of what a client said. Only what is sure is told.
 */

import type { Config } from '../config/config.ts';
import type { ItemNode, Node } from '../expand/tree.ts';
import { isTaintedVariable } from '../expand/variables.ts';
import { type PlacedTemplate, templatesOf } from './templates.ts';

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

function* inPaths({ place, option, template }: PlacedTemplate): Generator<string> {
  if (!paths.has(option)) return;
  // only the program of a command is a name; its arguments may be anything
  const { tree } = template;
  const first = option === 'command' && tree.kind === 'sequence' ? tree.parts.slice(0, 1) : [tree];
  const found = firstOf(first);
  if (found === undefined) return;
  const remedy = remedies.get(found.slice(1)) ?? 'look the value up in a table of yours';
  yield `${place} is made of ${found}, which nobody has vouched for, and will always be refused: ${remedy}`;
}

/** A repetition within a repetition: `(a+)+`. */
const nested =
  /\((?:\?[:=!<>im-]*)?(?:[^()\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*[+*](?:[^()\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*\)(?:[+*]|\{\d+,\})/;

function* patternsIn(template: PlacedTemplate['template']): Generator<string> {
  for (const item of template.source.split(/[:\n]/)) {
    const text = item.replace(/^[ \t!]*(?:\\N)?/, '');
    if (text.startsWith('^')) yield text;
  }
  for (const [, pattern = ''] of template.source.matchAll(
    /\bmatch[ \t\n]*\{(?:[^{}]|\{[^{}]*\})*\}[ \t\n]*\{((?:[^{}]|\{[^{}]*\})*)\}/g,
  )) {
    yield pattern;
  }
}

function* explosive({ place, template }: PlacedTemplate): Generator<string> {
  for (const pattern of patternsIn(template)) {
    if (nested.test(pattern)) {
      yield `${place}: the regular expression ${pattern} repeats a repetition; it may take too long and is then given up`;
    }
  }
}

export function* refusedTexts(config: Config): Generator<string> {
  for (const placed of templatesOf(config)) {
    yield* inPaths(placed);
    yield* explosive(placed);
  }
}
