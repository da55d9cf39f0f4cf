/** `tabella check`: all that is wrong with a configuration, and what in it has no effect in this version. */

import { unavailableScanners } from '../acl/conditions/malware.ts';
import { unavailableConditions } from '../acl/conditions/unavailable.ts';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import type { Config } from '../config/config.ts';
import { mainOptions } from '../config/main-options.ts';
import type { Problem } from '../config/problems.ts';
import { formatProblem } from '../config/problems.ts';
import type { OptionRow, OptionTable } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { unavailableRouters } from '../routers/unavailable.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import { unavailableTransports } from '../transports/unavailable.ts';
import { driverFamilies } from './inventory.ts';
import { refusedTexts } from './refused-texts.ts';

interface Instance {
  readonly name: string;
  readonly driver: { readonly name: string; readonly options: OptionTable };
  readonly set: ReadonlySet<string>;
}

function unused(set: ReadonlySet<string>, ...tables: readonly OptionTable[]): string[] {
  return [...set].filter((name) =>
    tables.some((table) => {
      const row: OptionRow<unknown> | undefined = table[name];
      return row?.unused === true;
    }),
  );
}

const noEffect = (name: string): string => `the option ${name} has no effect in this version`;

function* ofInstances(word: string, instances: Iterable<Instance>, common: OptionTable): Generator<string> {
  for (const { name, driver, set } of instances) {
    for (const option of unused(set, driver.options, common)) yield `${word} ${name}: ${noEffect(option)}`;
  }
}

/** What is accepted and does nothing yet. */
export function* remarks(config: Config): Generator<string> {
  for (const option of unused(config.mainSet, mainOptions)) yield noEffect(option);
  yield* ofInstances('router', config.routers, routerCommonOptions);
  yield* ofInstances('transport', config.transports.values(), transportCommonOptions);
  yield* ofInstances('authenticator', config.authenticators, authenticatorCommonOptions);
  const families = [
    { word: 'router', instances: config.routers, unavailable: unavailableRouters },
    { word: 'transport', instances: [...config.transports.values()], unavailable: unavailableTransports },
  ];
  for (const { word, instances, unavailable } of families) {
    for (const { name, driver } of instances) {
      if (unavailable.some((each) => each.name === driver.name)) {
        yield `${word} ${name}: the driver ${driver.name} cannot run in this version; what comes to it is deferred`;
      }
    }
  }
  const working = new Set(
    driverFamilies.find(({ title }) => title === 'Authenticators')?.available.map(({ name }) => name),
  );
  for (const { name, driver } of config.authenticators) {
    if (!working.has(driver.name)) yield `authenticator ${name}: the driver ${driver.name} cannot run in this version`;
  }
  yield* neverTrue(config);
  yield* unreachable(config);
  yield* refusedTexts(config);
}

/** Conditions of ACLs that nothing stands behind yet, and a scanner that cannot be asked. */
function* neverTrue({ acls, main }: Config): Generator<string> {
  for (const { name, statements } of acls.values()) {
    for (const clause of statements.flatMap(({ clauses }) => clauses)) {
      if (unavailableConditions.some((condition) => condition === clause.driver)) {
        yield `ACL ${name}: the condition ${clause.name} is never true in this version`;
      }
    }
  }
  const scanner = /^[ \t]*([a-z0-9-]+)/.exec(main.av_scanner.source)?.[1] ?? '';
  const asks = [...acls.values()].some(({ statements }) =>
    statements.some(({ clauses }) => clauses.some(({ name }) => name === 'malware')),
  );
  if (asks && unavailableScanners.includes(scanner)) {
    yield `the virus scanner ${scanner} cannot be asked in this version; the condition malware defers`;
  }
}

/** Routers behind one that takes every address, without a condition. */
function* unreachable({ routers }: Config): Generator<string> {
  const last = routers.find(
    ({ driver, set, common }) =>
      driver.name === 'accept' && !common.unseen && [...set].every((option) => !conditions.has(option)),
  );
  if (last === undefined) return;
  for (const { name } of routers.slice(routers.indexOf(last) + 1)) {
    yield `router ${name} is never reached: the router ${last.name} before it takes every address`;
  }
}

const conditions: ReadonlySet<string> = new Set([
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
]);

/** Writes the report; answers whether the configuration can be used. */
export function reportCheck(config: Config, problems: readonly Problem[], write: (line: string) => void): boolean {
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const problem of problems) write(formatProblem(problem));
  const warnings = problems.length - errors.length;
  let told = 0;
  if (errors.length === 0) {
    for (const remark of remarks(config)) {
      write(`Warning: ${remark}`);
      told++;
    }
  }
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  write(`${config.file}: ${count(errors.length, 'error')}, ${count(warnings + told, 'warning')}`);
  return errors.length === 0;
}
