/** Macros that tell a configuration what this program can do (Exim spec 6.9). */

import { clauseDrivers } from '../acl/drivers.ts';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { upper } from '../lib/octets.ts';
import { logSelectors } from '../observe/log-selectors.ts';
import type { OptionTable } from '../options/table.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import { authenticators, lookups, routers, transports } from './drivers.ts';
import { mainOptions } from './main-options.ts';

interface Named {
  readonly name: string;
  readonly options: OptionTable;
}

const capital = (name: string): string => upper(name);

function* driverMacros(family: string, common: OptionTable, drivers: ReadonlyMap<string, Named>): Generator<string> {
  for (const option of Object.keys(common)) yield `_OPT_${family}S_${capital(option)}`;
  for (const { name, options } of drivers.values()) {
    yield `_DRIVER_${family}_${capital(name)}`;
    for (const option of Object.keys(options)) yield `_OPT_${family}_${capital(name)}_${capital(option)}`;
  }
}

function* names(): Generator<string> {
  for (const option of Object.keys(mainOptions)) yield `_OPT_MAIN_${capital(option)}`;
  yield* driverMacros('ROUTER', routerCommonOptions, routers);
  yield* driverMacros('TRANSPORT', transportCommonOptions, transports);
  yield* driverMacros('AUTHENTICATOR', authenticatorCommonOptions, authenticators);
  for (const { name } of lookups) yield `_HAVE_LOOKUP_${capital(name)}`;
  for (const selector of Object.keys(logSelectors)) yield `_LOG_${capital(selector)}`;
  for (const { name, kind } of clauseDrivers.values()) {
    yield `_ACL_${kind === 'condition' || kind === 'list condition' ? 'COND' : 'MOD'}_${capital(name)}`;
  }
  yield '_HAVE_IPV6';
  yield '_HAVE_CRYPTEQ';
  yield '_HAVE_TRANSPORT_APPEND_MAILDIR';
  yield '_HAVE_TRANSPORT_APPEND_MAILSTORE';
}

export const builtinMacros: ReadonlyMap<string, string> = new Map([...names()].map((name) => [name, 'y']));
