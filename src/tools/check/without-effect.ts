/** What a configuration asks for and this version does not do: options, conditions, scanners, and drivers that cannot run. */

import { virusScanners } from '../../acl/conditions/malware.ts';
import { authenticatorCommonOptions } from '../../authenticators/common-options.ts';
import type { Config } from '../../config/config.ts';
import { mainOptions } from '../../config/main-options.ts';
import type { OptionRow, OptionTable } from '../../options/table.ts';
import { routerCommonOptions } from '../../routers/common-options.ts';
import { transportCommonOptions } from '../../transports/common-options.ts';
import { driverFamilies } from '../inventory.ts';
import { type Place, type Remark, warning } from './remark.ts';

interface Instance {
  readonly name: string;
  readonly driver: { readonly name: string; readonly options: OptionTable };
  readonly set: ReadonlySet<string>;
  readonly place?: Place | undefined;
}

/** What is to be said about each option that is set and does nothing. */
function unused(set: ReadonlySet<string>, ...tables: readonly OptionTable[]): string[] {
  return [...set].flatMap((name) => {
    const rows = tables.flatMap((table): readonly OptionRow<unknown>[] =>
      Object.hasOwn(table, name) ? [table[name] as OptionRow<unknown>] : [],
    );
    const row = rows.find((each) => each.unused);
    if (row === undefined) return [];
    return row.whyNever === undefined
      ? `the option ${name} has no effect in this version`
      : `the option ${name} has no effect: ${row.whyNever}`;
  });
}

function* ofInstances(word: string, instances: Iterable<Instance>, common: OptionTable): Generator<Remark> {
  for (const { name, driver, set, place } of instances) {
    for (const text of unused(set, driver.options, common)) yield warning(`${word} ${name}: ${text}`, place);
  }
}

export function* withoutEffect(config: Config): Generator<Remark> {
  for (const text of unused(config.mainSet, mainOptions)) yield warning(text);
  yield* ofInstances('router', config.routers, routerCommonOptions);
  yield* ofInstances('transport', config.transports.values(), transportCommonOptions);
  yield* ofInstances('authenticator', config.authenticators, authenticatorCommonOptions);
  const working = new Set(
    driverFamilies.find(({ title }) => title === 'Authenticators')?.available.map(({ name }) => name),
  );
  for (const { name, driver } of config.authenticators) {
    if (!working.has(driver.name)) {
      yield warning(`authenticator ${name}: the driver ${driver.name} cannot run in this version`);
    }
  }
}

/** A virus scanner that is wanted and that nobody knows. */
export function* neverAsked({ acls, main }: Config): Generator<Remark> {
  const scanner = /^[ \t]*([a-z0-9-]+)/.exec(main.av_scanner.source)?.[1] ?? '';
  const asks = [...acls.values()].some(({ statements }) =>
    statements.some(({ clauses }) => clauses.some(({ name }) => name === 'malware')),
  );
  if (asks && scanner !== '' && !virusScanners.has(scanner)) {
    yield warning(`the virus scanner ${scanner} is unknown; the condition malware defers`);
  }
}
