/** The part of `-bP` that shows routers, transports and authenticators. */

import { authenticatorCommonOptions } from '../../authenticators/common-options.ts';
import type { Config } from '../../config/config.ts';
import { type PrintStyle, tableLines } from '../../options/print.ts';
import type { Instance, OptionTable } from '../../options/table.ts';
import { routerCommonOptions } from '../../routers/common-options.ts';
import { transportCommonOptions } from '../../transports/common-options.ts';

/** A configured driver of whatever family. */
export interface ConfiguredDriver {
  readonly name: string;
  readonly driver: Instance['driver'] & { readonly options: OptionTable };
  readonly common: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly set: ReadonlySet<string>;
  readonly hidden: ReadonlySet<string>;
}

export interface Family {
  readonly word: string;
  readonly commonOptions: OptionTable;
  instances(config: Config): readonly ConfiguredDriver[];
}

export const families: readonly Family[] = [
  { word: 'router', commonOptions: routerCommonOptions, instances: ({ routers }) => routers },
  { word: 'transport', commonOptions: transportCommonOptions, instances: ({ transports }) => [...transports.values()] },
  {
    word: 'authenticator',
    commonOptions: authenticatorCommonOptions,
    instances: ({ authenticators }) => authenticators,
  },
];

export interface DriverStyle extends PrintStyle {
  readonly isAdmin: boolean;
  readonly primaryHostname: string;
}

/** Names that the instances hide. Exim keeps that mark with the table, so what one hides all of them hide. */
function hiddenNames(table: OptionTable, instances: readonly ConfiguredDriver[]): ReadonlySet<string> {
  return new Set(instances.flatMap(({ hidden }) => [...hidden].filter((name) => Object.hasOwn(table, name))));
}

/** The generic options of an instance, then the driver's own. */
export function driverLines(
  { commonOptions, instances }: Family,
  instance: ConfiguredDriver,
  config: Config,
  style: DriverStyle,
): string[] {
  const { name, driver, common, options, set } = instance;
  const facts: Instance = {
    name,
    driver,
    values: { ...common, ...options },
    set,
    primaryHostname: style.primaryHostname,
  };
  const all = style.isAdmin ? [] : instances(config);
  const alike = all.filter((other) => other.driver === driver);
  return [
    ...tableLines(commonOptions, facts, hiddenNames(commonOptions, all), style),
    ...tableLines(driver.options, facts, hiddenNames(driver.options, alike), style),
  ];
}
