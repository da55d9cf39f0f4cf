/** Expansions before there is a runtime: they see the basic settings, and nothing of the spool. */

import type { Config } from '../config/config.ts';
import type { Installation } from '../config/installation.ts';
import type { Context, Settings } from '../expand/context.ts';
import { lookups as lookupDrivers } from '../lookups/drivers.ts';
import { Lookups } from '../lookups/lookups.ts';
import { Resolver } from '../net/dns.ts';
import { newContext } from './runtime.ts';
import { makeServices } from './services.ts';
import { basicSettings } from './settings.ts';

export interface Early {
  readonly settings: Settings;
  /** A context with these settings. */
  context(settings: Settings): Context;
  /** Lets go of what lookups hold. */
  close(): void;
}

export function earlyContext(
  config: Config,
  installation: Installation,
  environment: ReadonlyMap<string, string>,
): Early {
  const { main } = config;
  const resolver = new Resolver({});
  const lookups = new Lookups(lookupDrivers, Math.max(main.lookup_open_max, 1), { resolver, main });
  const services = makeServices({
    config,
    lookups,
    resolver,
    programDirectory: installation.programDirectory,
    spool: undefined,
    log() {},
    selects: () => false,
  });
  return {
    settings: basicSettings(config, installation, environment),
    context: (settings) => newContext({ settings, services }),
    close: () => lookups.close(),
  };
}
