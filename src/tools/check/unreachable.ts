/**
 * What is never reached: routers behind one that takes every address or lets none go on, and ACL statements behind one that
 * decides for everything. Only what is sure is told.
 */

import { type Acl, type Clause, isCondition, type Statement } from '../../acl/acl.ts';
import type { Config } from '../../config/config.ts';
import type { RouterInstance } from '../../routers/router.ts';
import { type Place, type Remark, warning } from './remark.ts';

/** Preconditions of routers. */
const conditions = [
  'address_test',
  'check_local_user',
  'condition',
  'domains',
  'expn',
  'fail_verify',
  'fail_verify_recipient',
  'fail_verify_sender',
  'local_part_prefix',
  'local_part_suffix',
  'local_parts',
  'require_files',
  'senders',
  'verify',
  'verify_only',
  'verify_recipient',
  'verify_sender',
] as const;

const takesAllLists: ReadonlySet<string> = new Set(['domains', 'local_parts', 'senders']);

/** `*`, and what else is true of everything. */
function isAlwaysTrue(option: string, source: string): boolean {
  if (takesAllLists.has(option)) return source === '*';
  return option === 'condition' && /^(?:true|yes|1)$/i.test(source);
}

function sourceOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('source' in value && typeof value.source === 'string') return value.source;
  return 'template' in value ? sourceOf(value.template) : undefined;
}

function takesEverything({ set, common }: RouterInstance): boolean {
  const values: Readonly<Record<string, unknown>> = common;
  return conditions.every((option) => !set.has(option) || isAlwaysTrue(option, sourceOf(values[option]) ?? ''));
}

/** Options with which a router may hand an address on although `no_more` is set. */
const passing: ReadonlyMap<string, RegExp> = new Map([
  ['self', /^pass$/],
  ['host_find_failed', /^pass$/],
  ['host_all_ignored', /^pass$/],
]);

function mayPass({ set, common, options, driver }: RouterInstance): boolean {
  if (driver.name === 'queryprogram' || set.has('pass_on_timeout') || set.has('pass_router')) return true;
  const values: Readonly<Record<string, unknown>> = { ...common, ...options };
  return [...passing].some(([option, pattern]) => pattern.test(String(values[option])));
}

/** Why nothing comes behind this router; nothing when something may. */
function endOf(router: RouterInstance): string | undefined {
  const { driver, common, name } = router;
  if (common.unseen || !takesEverything(router)) return undefined;
  if (driver.name === 'accept') return `the router ${name} before it takes every address`;

  if (common.more !== false || mayPass(router)) return undefined;
  return `the router ${name} before it has no_more and looks at every address`;
}

function* routersBehind({ routers }: Config): Generator<Remark> {
  const at = routers.findIndex((router) => endOf(router) !== undefined);
  const last = routers[at];
  if (last === undefined) return;
  const reason = endOf(last);
  // new addresses, or those that are passed on, may begin at a router further down
  const entered = new Set<string | undefined>(
    routers.slice(0, at + 1).flatMap(({ common }) => [common.redirect_router, common.pass_router]),
  );
  for (const { name, place } of routers.slice(at + 1)) {
    if (entered.has(name)) return;
    yield warning(`router ${name} is never reached: ${reason}`, place);
  }
}

const deciding: ReadonlySet<string> = new Set(['accept', 'defer', 'deny', 'discard', 'drop']);

function isSureCondition({ driver, name, negated, template }: Clause): boolean {
  if (driver !== 'acl' && !isCondition(driver)) return true;
  return !negated && ((name === 'hosts' && template.source === '*') || isAlwaysTrue(name, template.source));
}

const decidesAll = ({ verb, clauses }: Statement): boolean => deciding.has(verb) && clauses.every(isSureCondition);

/** `FILE LINE`, as statements keep it. */
export function placeOfStatement(text: string): Place | undefined {
  const [, file, line] = /^(.*) (\d+)$/s.exec(text) ?? [];
  return file === undefined ? undefined : { file, line: Number(line) };
}

function* statementsBehind({ name, statements }: Acl): Generator<Remark> {
  const at = statements.findIndex(decidesAll);
  const last = statements[at];
  const next = statements[at + 1];
  if (last === undefined || next === undefined) return;
  const count = statements.length - at - 1;
  const what = count === 1 ? 'a statement is' : `${count} statements are`;
  const where = placeOfStatement(last.place);
  const before = `the "${last.verb}" in line ${where?.line ?? '?'}`;
  yield warning(`ACL ${name}: ${what} never reached: ${before} decides for everything`, placeOfStatement(next.place));
}

export function* unreachable(config: Config): Generator<Remark> {
  yield* routersBehind(config);
  for (const acl of config.acls.values()) yield* statementsBehind(acl);
}
