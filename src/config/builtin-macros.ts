/** Macros that tell a configuration what this program can do (Exim spec 6.9). */

import { isCondition } from '../acl/acl.ts';
import { clauseDrivers } from '../acl/drivers.ts';
import { authenticatorCommonOptions } from '../authenticators/common-options.ts';
import { upper } from '../lib/octets.ts';
import { lookups } from '../lookups/drivers.ts';
import { logSelectors } from '../observe/log-selectors.ts';
import type { OptionTable } from '../options/table.ts';
import { standardNames } from '../origin/dkim-sign.ts';
import { routerCommonOptions } from '../routers/common-options.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import { authenticators, routers, transports } from './drivers.ts';
import { features } from './features.ts';
import { mainOptions } from './main-options.ts';

interface Named {
  readonly name: string;
  readonly options: OptionTable;
}

const capital = (name: string): string => upper(name);

function* optionMacros(prefix: string, table: OptionTable): Generator<string> {
  for (const [name, { synonyms }] of Object.entries(table)) {
    for (const each of [name, ...synonyms]) yield `${prefix}_${capital(each)}`;
  }
}

function* driverMacros(family: string, common: OptionTable, drivers: ReadonlyMap<string, Named>): Generator<string> {
  yield* optionMacros(`_OPT_${family}S`, common);
  for (const { name, options } of drivers.values()) {
    yield `_DRIVER_${family}_${capital(name)}`;
    yield* optionMacros(`_OPT_${family}_${capital(name)}`, options);
  }
}

function* names(): Generator<string> {
  yield* optionMacros('_OPT_MAIN', mainOptions);
  yield* driverMacros('ROUTER', routerCommonOptions, routers);
  yield* driverMacros('TRANSPORT', transportCommonOptions, transports);
  yield* driverMacros('AUTHENTICATOR', authenticatorCommonOptions, authenticators);
  for (const { name } of lookups) yield `_HAVE_LOOKUP_${capital(name)}`;
  for (const selector of Object.keys(logSelectors)) yield `_LOG_${capital(selector)}`;
  for (const driver of clauseDrivers.values()) {
    yield `_ACL_${isCondition(driver) ? 'COND' : 'MOD'}_${capital(driver.name)}`;
  }
  yield '_ACL_COND_ACL';
  yield '_LOG_ALL';
  yield '_CRYPTO_HASH_SHA3';
  yield '_CRYPTO_SIGN_ED25519';
  for (const { macros } of features) for (const macro of macros) yield `_HAVE_${macro}`;
}

let made: ReadonlyMap<string, string> | undefined;

/** Made when they are first asked for: few configurations do. */
export function builtinMacros(): ReadonlyMap<string, string> {
  made ??= new Map([
    ...[...names()].map((name) => [name, 'y'] as const),
    ['_DKIM_SIGN_HEADERS', standardNames],
    ['_DKIM_OVERSIGN_HEADERS', standardNames.replace(/[^:]+/g, '+$&')],
  ]);
  return made;
}
