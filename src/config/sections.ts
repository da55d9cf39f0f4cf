/** Reads what stands behind the main part of a configuration: ACLs, drivers, and the rules for retries and rewriting. */

import { AclReader, parseAclHeading } from '../acl/parse.ts';
import { type AuthenticatorCommonOptions, authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { splitList } from '../lib/list-text.ts';
import { lower } from '../lib/octets.ts';
import { didYouMean } from '../options/read.ts';
import type { OptionsProblem } from '../options/table.ts';
import { type RouterCommonOptions, routerCommonOptions } from '../routers/common-options.ts';
import type { RouterInstance } from '../routers/router.ts';
import { type TransportCommonOptions, transportCommonOptions } from '../transports/common-options.ts';
import { type Draft, takeMacro } from './draft.ts';
import { type ReadInstance, readDriverSection } from './driver-section.ts';
import { authenticators, routers, transports } from './drivers.ts';
import type { Place, Problems } from './problems.ts';
import { parseRetryRule } from './retry-rules.ts';
import { isForHeaders, parseRewriteRule, type RewriteRule } from './rewrite-rules.ts';
import type { LogicalLine } from './source.ts';

/** Lines up to the next `begin`; definitions of macros are taken out. */
function* sectionLines({ source, macros, problems }: Draft): Generator<LogicalLine> {
  for (let line = source.next(); line !== undefined; line = source.next()) {
    if (/^begin(?:[ \t]|$)/.test(line.text)) {
      source.pushBack(line);
      return;
    }
    if (!takeMacro(line, macros, problems)) yield line;
  }
}

function readAcls(draft: Draft): void {
  const { acls, problems } = draft;
  let reader: AclReader | undefined;
  for (const { text, place } of sectionLines(draft)) {
    const fault = (message: string, remedy?: string): void => problems.error(message, place, remedy);
    const heading = parseAclHeading(text);
    if (heading === undefined) {
      if (reader === undefined) fault('missing or malformed ACL name');
      else reader.take({ text, place: `${place.file} ${place.line}` }, fault);
      continue;
    }
    if (acls.has(heading.name)) fault(`there are two ACLs called "${heading.name}"`);
    reader = new AclReader();
    acls.set(heading.name, { name: heading.name, statements: reader.statements, place });
    if (heading.rest !== '') reader.take({ text: heading.rest, place: `${place.file} ${place.line}` }, fault);
  }
}

/** What only the driver can judge, then `self`: in the order in which the real one finds it. */
function checkRouter(read: ReadInstance<RouterInstance['driver']>, problems: Problems): void {
  const { name, driver, place } = read;
  const common = read.common as RouterCommonOptions;
  if (driver.transport === 'required' && common.transport === undefined && !common.verify_only) {
    problems.errorWithin(`${name} router:\n  a transport is required for this router`, place);
  }
  tellOf(driver.check(read.options, common, name), `${name} router`, place, problems);
  if (driver.transport === 'forbidden' && common.transport !== undefined) {
    problems.errorWithin(`${name} router:\n  a transport must not be defined for this router`, place);
  }
  if (!/^(?:freeze|defer|fail|pass|send|reroute[ \t]*:.*)$/s.test(common.self)) {
    problems.errorAbout(`${name} router`, `${common.self} is not valid for the self option`, place);
  }
}

function tellOf(problem: OptionsProblem | undefined, about: string, place: Place, problems: Problems): void {
  if (problem === undefined) return;
  if (typeof problem === 'string') problems.errorAbout(about, problem, place);
  else problems.errorWithin(problem.named, place);
}

function readRouters(draft: Draft): void {
  const { problems, routers: found } = draft;
  for (const read of readDriverSection(
    sectionLines(draft),
    { word: 'router', drivers: routers, commonOptions: routerCommonOptions },
    problems,
  )) {
    checkRouter(read, problems);
    const common = read.common as RouterCommonOptions;
    found.push({ ...read, common, route: read.driver.make(read.options, common) });
  }
  checkNextRouters(found, problems);
}

/** `pass_router` and `redirect_router` name routers; passing may only go forward. */
function checkNextRouters(found: readonly RouterInstance[], problems: Problems): void {
  const places = new Map(found.map(({ name }, index) => [name, index]));
  for (const [index, { name, common }] of found.entries()) {
    for (const [target, forward] of [
      [common.pass_router, true],
      [common.redirect_router, false],
    ] as const) {
      if (target === undefined) continue;
      const place = places.get(target);
      if (place === undefined) {
        problems.error(
          `new_router "${target}" not found for "${name}" router`,
          undefined,
          didYouMean(target, places.keys()),
        );
      } else if (forward && place <= index) {
        problems.error(`new_router "${target}" does not follow "${name}" router`);
      }
    }
  }
}

function readTransports(draft: Draft): void {
  const { problems, transports: found } = draft;
  for (const read of readDriverSection(
    sectionLines(draft),
    { word: 'transport', drivers: transports, commonOptions: transportCommonOptions },
    problems,
  )) {
    const common = read.common as TransportCommonOptions;
    if (common.body_only && common.headers_only) {
      problems.errorWithin(`${read.name} transport: body_only and headers_only are mutually exclusive`, read.place);
    }
    const { user, group } = common;
    if (user !== undefined && 'user' in user && user.byNumber && group === undefined) {
      problems.errorWithin(`user set without group for the ${read.name} transport`, read.place);
    }
    tellOf(read.driver.check(read.options, common, read.name), `${read.name} transport`, read.place, problems);
    readHeadersRewrite(read.name, common, read.places.get('headers_rewrite'), draft);
    found.set(read.name, { ...read, common, worker: read.driver.make(read.options, common, read.set) });
  }
}

/** `headers_rewrite`: a list of rules. */
function readHeadersRewrite(
  name: string,
  { headers_rewrite: list }: TransportCommonOptions,
  place: Place | undefined,
  { problems, transportRewriteRules }: Draft,
): void {
  if (list === undefined) return;
  const rules: RewriteRule[] = [];
  for (const item of splitList(list).items) {
    const parsed = parseRewriteRule(item, 'transport');
    if ('error' in parsed) problems.error(parsed.error, place);
    else rules.push(parsed.rule);
  }
  if (!rules.every(isForHeaders)) {
    problems.error('rewrite rule specifies a non-header rewrite - not allowed at transport time -', place);
  }
  transportRewriteRules.set(name, rules);
}

function readAuthenticators(draft: Draft): void {
  const { problems, authenticators: found } = draft;
  for (const read of readDriverSection(
    sectionLines(draft),
    { word: 'authenticator', drivers: authenticators, commonOptions: authenticatorCommonOptions },
    problems,
  )) {
    const common = read.common as AuthenticatorCommonOptions;
    found.push({ ...read, common, ...read.driver.make?.(read.options, common) });
  }
}

function readRetryRules(draft: Draft): void {
  for (const { text, place } of sectionLines(draft)) {
    const parsed = parseRetryRule(text);
    if ('error' in parsed) draft.problems.error(parsed.error, place);
    else draft.retryRules.push(parsed.rule);
  }
}

function readRewriteRules(draft: Draft): void {
  for (const { text, place } of sectionLines(draft)) {
    const parsed = parseRewriteRule(text, 'global');
    if ('error' in parsed) draft.problems.error(parsed.error, place);
    else draft.rewriteRules.push(parsed.rule);
  }
}

const sections: ReadonlyMap<string, (draft: Draft) => void> = new Map([
  ['acl', readAcls],
  ['routers', readRouters],
  ['transports', readTransports],
  ['authenticators', readAuthenticators],
  ['retry', readRetryRules],
  ['rewrite', readRewriteRules],
]);

/** Reads all sections. */
export function readSections(draft: Draft): void {
  const { source, problems } = draft;
  const seen = new Set<string>();
  for (let line = source.next(); line !== undefined; line = source.next()) {
    const name = /^begin[ \t]+(.*)$/s.exec(line.text)?.[1];
    if (name === undefined) continue;
    const read = sections.get(lower(name));
    if (read === undefined) {
      const message =
        name === 'local_scan'
          ? 'local_scan() options not supported: (LOCAL_SCAN_HAS_OPTIONS not defined in Local/Makefile)'
          : `"${name}" is not a known configuration section name`;
      problems.error(message, line.place, didYouMean(name, sections.keys()));
    } else {
      if (seen.has(name)) problems.error(`"${name}" section is repeated in the configuration file`, line.place);
      seen.add(name);
      read(draft);
    }
  }
}
