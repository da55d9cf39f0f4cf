/**
 * No option is read and then forgotten: each is used by the program, or declared `withoutEffect` (so that `tabella check`
 * and docs/compatibility.md say so), or stands here with the reason why doing nothing is right.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { authenticatorCommonOptions } from '../src/authenticators/common-options.ts';
import { authenticators, routers, transports } from '../src/config/drivers.ts';
import { mainOptions } from '../src/config/main-options.ts';
import type { OptionTable } from '../src/options/table.ts';
import { routerCommonOptions } from '../src/routers/common-options.ts';
import { driverFamilies } from '../src/tools/inventory.ts';
import { transportCommonOptions } from '../src/transports/common-options.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where a name is no use of the option: the tables themselves, and those who only print, check or translate them. */
const noUse =
  /(?:^|\/)test-[^/]*\.ts$|\.test\.ts$|^src\/(?:authenticators|routers|transports)\/[a-z0-9-]*options\.ts$|^src\/cli\/options\.ts$|^src\/(?:tools|options|config\/exim3|config\/main-options)\//;

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');

const words = new Set(
  globSync('src/**/*.ts', { cwd: root })
    .filter((file) => file === 'src/options/tls-settings.ts' || !noUse.test(file))
    .flatMap((file) => withoutComments(readFileSync(join(root, file), 'utf8')).match(/[a-z][a-z0-9_]+/g) ?? []),
);

/** Drivers that are read only; `tabella check` says of each that it cannot run. */
const onlyRead = new Set(driverFamilies.flatMap(({ unavailable }) => unavailable.map(({ name }) => name)));

const tables: readonly (readonly [where: string, table: OptionTable])[] = [
  ['main', mainOptions],
  ['routers', routerCommonOptions],
  ['transports', transportCommonOptions],
  ['authenticators', authenticatorCommonOptions],
  ...[...routers.values(), ...transports.values(), ...authenticators.values()]
    .filter(({ name }) => !onlyRead.has(name))
    .map(({ name, options }) => [name, options] as const),
];

/** Why doing nothing is right for these. */
const rightlyUnused: Readonly<Record<string, string>> = {
  'main.debug_store': 'it checks memory that C programs manage themselves',
  'main.dns_cname_loops': 'the resolver follows chains of CNAME records itself, up to a limit of its own',
  'main.drop_cr': 'the manual: it does nothing any more',
  'main.finduser_retries': 'users are read from files, which answer the same when they are asked again',
  'main.queue_fast_ramp': 'deliveries of a queue run go side by side in any case',
  'main.bounce_return_message': 'the real Exim 4.96 returns the message whatever it says',
};

const unused = tables.flatMap(([where, table]) =>
  Object.entries(table)
    .filter(([name, row]) => row.unused !== true && !words.has(name))
    .map(([name]) => `${where}.${name}`),
);

test('every option is used, declared to have no effect, or rightly does nothing', () => {
  assert.deepEqual(
    unused.filter((name) => rightlyUnused[name] === undefined),
    [],
  );
});

test('an option that is said to do nothing is not used after all', () => {
  assert.deepEqual(
    Object.keys(rightlyUnused).filter((name) => !unused.includes(name)),
    [],
  );
});
