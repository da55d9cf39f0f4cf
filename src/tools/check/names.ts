/**
 * Names that lead nowhere: transports, named lists and ACLs that are used and not defined. The real Exim finds them when
 * mail comes, and defers it.
 */

import { parseInlineAcl } from '../../acl/parse.ts';
import type { Config } from '../../config/config.ts';
import type { ListKind } from '../../expand/context.ts';
import type { Template } from '../../expand/expand.ts';
import { trim } from '../../lib/octets.ts';
import { didYouMean } from '../../options/read.ts';
import { type Place, type Remark, warning } from './remark.ts';
import { type PlacedTemplate, templatesOf } from './templates.ts';
import { conditionsOf, literalText, nodesOf } from './walk.ts';

function missing(
  what: string,
  name: string,
  known: Iterable<string>,
  result: string,
  place: Place | undefined,
): Remark {
  const guess = didYouMean(name, known);
  return warning(`${what} "${name}" that is not defined${guess === undefined ? '' : ` (${guess})`}; ${result}`, place);
}

/** A name that stands as it is. */
function nameIn(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value : isTemplate(value) ? value.source : undefined;
  return text !== undefined && /^[A-Za-z0-9_.-]+$/.test(text) ? text : undefined;
}

function isTemplate(value: unknown): value is Template {
  return typeof value === 'object' && value !== null && 'source' in value && typeof value.source === 'string';
}

function* transportsNamed(config: Config): Generator<Remark> {
  const known = config.transports;
  const check = function* (
    what: string,
    set: ReadonlySet<string>,
    values: Readonly<Record<string, unknown>>,
    place: Place | undefined,
  ): Generator<Remark> {
    for (const option of set) {
      if (!/(?:^|_)transport$/.test(option)) continue;
      const name = nameIn(values[option]);
      if (name === undefined || known.has(name)) continue;
      yield missing(`${what}${option} names a transport`, name, known.keys(), 'what comes to it is deferred', place);
    }
  };
  yield* check('', config.mainSet, config.main as Readonly<Record<string, unknown>>, undefined);
  for (const { name, set, common, options, place } of config.routers) {
    yield* check(`router ${name}: `, set, { ...common, ...options }, place);
  }
}

/** Conditions of ACLs whose text is a list, and conditions of expansions whose second argument is one. */
const listsOfConditions: ReadonlyMap<string, ListKind> = new Map([
  ['domains', 'domain'],
  ['sender_domains', 'domain'],
  ['hosts', 'host'],
  ['senders', 'address'],
  ['recipients', 'address'],
  ['local_parts', 'localpart'],
  ['match_domain', 'domain'],
  ['match_address', 'address'],
  ['match_ip', 'host'],
  ['match_local_part', 'localpart'],
]);

const controls = new Set(['caseful', 'include_unknown', 'ignore_unknown', 'include_defer', 'ignore_defer']);

/** Items of a list that name other lists. */
function namedIn(list: string): string[] {
  const changed = /^[ \t]*<([!-/:-@[-`{-~])/.exec(list);
  const separator = changed?.[1] ?? ':';
  const found: string[] = [];
  for (const item of list.slice(changed?.[0].length ?? 0).split(separator)) {
    const name = /^!?[ \t]*\+([A-Za-z0-9_]+)$/.exec(trim(item))?.[1];
    if (name !== undefined && !controls.has(name)) found.push(name);
  }
  return found;
}

function* listsNamed(placed: PlacedTemplate, config: Config): Generator<Remark> {
  const { place, where, option, template, list } = placed;
  const check = function* (kind: ListKind, text: string): Generator<Remark> {
    const known = config.namedLists[kind];
    for (const name of namedIn(text)) {
      if (known.has(name)) continue;
      const called = kind === 'localpart' ? 'local part' : kind;
      yield missing(`${place} names a ${called} list`, name, known.keys(), 'nothing can be decided by it', where);
    }
  };
  const kind = list ?? listsOfConditions.get(option);
  if (kind !== undefined) yield* check(kind, template.source);
  for (const { name, arguments: args } of conditionsOf(template.tree)) {
    const ofCondition = listsOfConditions.get(name);
    const text = literalText(args[1]);
    if (ofCondition !== undefined && text !== undefined) yield* check(ofCondition, text);
  }
}

/** An option that names an ACL, unless its text is one or leads to a file. */
const aclOption = /^acl_(?:not_)?smtp(?:_|$)/;

function* aclsNamed({ place, where, option, template }: PlacedTemplate, { acls }: Config): Generator<Remark> {
  const names: (string | undefined)[] = [];
  if (aclOption.test(option)) names.push(nameIn(template));
  if (option === 'acl') names.push(nameIn(/^[^ \t]*/.exec(template.source)?.[0]));
  for (const node of nodesOf(template.tree)) {
    if (node.kind === 'item' && node.name === 'acl') names.push(nameIn(literalText(node.arguments[0])));
  }
  for (const { name, arguments: args } of conditionsOf(template.tree)) {
    if (name === 'acl') names.push(nameIn(literalText(args[0])));
  }
  for (const name of names) {
    if (name === undefined || acls.has(name) || !('error' in parseInlineAcl(name, place))) continue;
    yield missing(`${place} names an ACL`, name, acls.keys(), 'all that asks it is refused for the moment', where);
  }
}

export function* undefinedNames(config: Config): Generator<Remark> {
  yield* transportsNamed(config);
  for (const placed of templatesOf(config)) {
    yield* listsNamed(placed, config);
    yield* aclsNamed(placed, config);
  }
}
