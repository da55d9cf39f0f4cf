/** Everything that works with one configuration: made once per process, handed to all who work with mail. */

import type { Config } from '../config/config.ts';
import type { Installation } from '../config/installation.ts';
import type { AclAnswer, Context, Services, Settings } from '../expand/context.ts';
import { freshResults } from '../expand/expand.ts';
import { CalloutHints } from '../hints/callout-hints.ts';
import { RateHints } from '../hints/rate-hints.ts';
import { SeenHints } from '../hints/seen-hints.ts';
import { errorText } from '../lib/errno.ts';
import { splitList } from '../lib/list-text.ts';
import { type ListSetting, matchTemplate } from '../lists/option.ts';
import { lookups as lookupDrivers } from '../lookups/drivers.ts';
import { Lookups } from '../lookups/lookups.ts';
import { Resolver } from '../net/dns.ts';
import { type Decisions, nobody } from '../observe/decision.ts';
import { parseLogSelection, standardSelection } from '../observe/log-selectors.ts';
import { Logs } from '../observe/main-log.ts';
import { facilityNamed, SystemLog } from '../observe/syslog.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { limitUserNames, userNamed } from '../safe/users.ts';
import { Spool } from '../spool/spool.ts';
import { findPrivileged, type Privileged } from './privileged.ts';
import { makeServices } from './services.ts';
import {
  BadSetting,
  basicSettings,
  effectiveServerUser,
  findPlaces,
  keptEnvironment,
  logModes,
  type Places,
  type ServerUser,
} from './settings.ts';

export interface Runtime {
  readonly installation: Installation;
  readonly config: Config;
  readonly settings: Settings;
  readonly places: Places;
  readonly user: ServerUser;
  readonly privileged: Privileged;
  /** Users whom nothing is delivered as, whatever the configuration says. */
  readonly fixedNeverUsers: ReadonlySet<number>;
  readonly spool: Spool;
  readonly logs: Logs;
  readonly lookups: Lookups;
  /** How fast clients are, and what ACLs have seen before. */
  readonly rates: RateHints;
  readonly seen: SeenHints;
  /** What hosts have answered when they were asked about addresses. */
  readonly callouts: CalloutHints;
  readonly resolver: Resolver;
  /** Without `runAcl`, which each line of work adds. */
  readonly services: Omit<Services, 'runAcl'>;
}

export interface RuntimeOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Sees every log line; `-v` and `-d` print them. */
  readonly echo?: ((logs: string, text: string, messageId: string | undefined) => void) | undefined;
  /** Sees lines for the panic log, with their time. */
  readonly panicEcho?: ((line: string) => void) | undefined;
  /** The queue that is worked on; the default one when nothing is said. */
  readonly queue?: Clean | undefined;
  /** Logs go to syslog alone, under this name (`-L`). */
  readonly syslogName?: string | undefined;
  /** Lines go to `echo` alone (`-bh`). */
  readonly withoutLogFiles?: boolean | undefined;
}

const noAcl = (): AclAnswer => ({ outcome: 'error', message: 'no ACL can be run here' });

/** A context for a line of work that knows nothing of a message yet. */
export function newContext(
  runtime: Pick<Runtime, 'settings' | 'services'> & Partial<Pick<Runtime, 'spool'>>,
  decisions: Decisions = nobody,
  runAcl: Services['runAcl'] = noAcl,
): Context {
  return {
    settings: runtime.settings,
    services: { ...runtime.services, runAcl },
    decisions,
    queueName: runtime.spool?.queue ?? literal(''),
    connection: undefined,
    message: undefined,
    address: undefined,
    delivery: undefined,
    acl: undefined,
    results: freshResults(),
    found: new Map(),
    depth: 0,
  };
}

/** How a DNS client is set up by the configuration (Exim spec 14, dns_…). */
function makeResolver({ main }: Config, surroundings: ResolverSurroundings): Resolver {
  const settings = {
    ...(main.dns_retrans > 0 ? { timeout: main.dns_retrans * 1000 } : {}),
    ...(main.dns_retry > 0 ? { attempts: main.dns_retry } : {}),
    ...(main.dns_use_edns0 === 0 ? { edns: false } : {}),
  };
  const { dns_again_means_nonexist: missing, dns_trust_aa: trusted, slow_lookup_log: slow } = main;
  const isIn = (list: ListSetting) => async (name: string) =>
    (await matchTemplate(list, name, surroundings.context())).outcome === 'match';
  return new Resolver(settings, {
    ...(missing === undefined ? {} : { isMissing: isIn(missing) }),
    ...(trusted === undefined ? {} : { isTrusted: isIn(trusted) }),
    ...(main.dns_dnssec_ok > 0 ? { dnssec: true } : {}),
    onAnswer(name, type, took) {
      if (slow > 0 && took > slow) surroundings.log(`Long ${type} lookup for '${name}': ${Math.round(took)} msec`);
    },
  });
}

/** What a resolver asks when it has answers to judge, which is when there is a runtime. */
interface ResolverSurroundings {
  context(): Context;
  log(text: string): void;
}

/** syslog_processname */
const longestProcessName = 32;

/** @throws BadSetting */
export async function makeRuntime(
  installation: Installation,
  config: Config,
  options: RuntimeOptions,
): Promise<Runtime> {
  const { main } = config;
  const selection = main.log_selector === undefined ? standardSelection : parseLogSelection(main.log_selector);
  if ('error' in selection) throw new BadSetting(selection.error);
  let known: Pick<Runtime, 'settings' | 'services'> | undefined;
  let lines: Logs | undefined;
  const resolver = makeResolver(config, {
    context: () => newContext(known ?? { settings: basic, services: early }),
    log: (text) => lines?.main(text),
  });
  const lookups = new Lookups(lookupDrivers, Math.max(main.lookup_open_max, 1), { resolver, main });
  const environment = keptEnvironment(config, options.environment);
  const basic = basicSettings(config, installation, environment);
  const { programDirectory } = installation;
  const ground = { config, lookups, resolver, programDirectory };
  const early = makeServices({ ...ground, spool: undefined, log: () => undefined, selects: () => false });
  const earlyContext = newContext({ settings: basic, services: early });
  const places = await findPlaces(config, installation, earlyContext);
  const privileged = await findPrivileged(config, earlyContext);
  const user = effectiveServerUser(config, installation);
  limitUserNames(main.max_username_length);
  const asRoot = process.geteuid?.() === 0;
  const { syslog_processname: processName = '' } = main;
  if (processName.length > longestProcessName) {
    throw new BadSetting(`syslog_processname is longer than ${longestProcessName} chars: aborting`, true);
  }
  const facility = facilityNamed(main.syslog_facility ?? 'mail');
  if (facility === undefined) throw new BadSetting(`failed to interpret syslog_facility "${main.syslog_facility}"`);
  const logs = new Logs({
    paths: options.withoutLogFiles || options.syslogName !== undefined ? [] : places.logPaths,
    hasUnusedPaths: places.unusedLogPaths,
    selection,
    ...logModes(installation),
    owner: asRoot ? user : undefined,
    syslog:
      (places.logsToSyslog || options.syslogName !== undefined) && !options.withoutLogFiles
        ? {
            log: new SystemLog(facility, options.syslogName ?? (processName || 'exim')),
            withTime: main.syslog_timestamp,
            withPid: main.syslog_pid,
            duplicates: main.syslog_duplication,
          }
        : undefined,
    timezone: main.log_timezone,
    rejectLog: main.write_rejectlog,
    echo: options.echo,
    panicEcho: options.panicEcho,
  });
  const spool = new Spool(
    {
      directory: places.spoolDirectory,
      split: main.split_spool_directory,
      hostNumber: places.hostNumber ?? 0,
      owner: asRoot ? user : undefined,
      messageLogs: main.message_logs,
      preserveMessageLogs: main.preserve_message_logs,
    },
    options.queue,
  );
  const services = makeServices({
    ...ground,
    spool,
    log: (text) => logs.main(text),
    selects: (selector) => logs.selects(selector),
  });
  known = { settings: places.settings, services };
  lines = logs;
  const complain = (error: unknown): void => logs.main(`trouble with a hints database: ${errorText(error)}`);
  const owner = asRoot ? user : undefined;
  const fixedNeverUsers = new Set(
    splitList(installation.fixedNeverUsers).items.flatMap((name) => userNamed(name)?.uid ?? []),
  );
  return {
    installation,
    config,
    settings: places.settings,
    places,
    user,
    privileged,
    fixedNeverUsers,
    spool,
    logs,
    lookups,
    rates: new RateHints(places.spoolDirectory, owner, complain),
    seen: new SeenHints(places.spoolDirectory, owner, complain),
    callouts: new CalloutHints(places.spoolDirectory, owner, complain),
    resolver,
    services,
  };
}

/** The same for another queue. */
export function withQueue(runtime: Runtime, queue: Clean): Runtime {
  const spool = runtime.spool.named(queue);
  return spool === runtime.spool ? runtime : { ...runtime, spool };
}

/** Closes files; used when a configuration is replaced by another. */
export function closeRuntime({ lookups, logs, rates, seen, callouts }: Runtime): void {
  lookups.close();
  rates.close();
  seen.close();
  callouts.close();
  logs.close();
}
