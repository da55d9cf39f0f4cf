/** Why a configuration cannot be used: on standard error, and in the panic log as far as it says where that is. */

import type { Config } from '../config/config.ts';
import type { Installation } from '../config/installation.ts';
import * as clock from '../lib/clock.ts';
import { earlyContext } from '../mta/early-context.ts';
import { BadSetting, earlyLogPaths, effectiveServerUser, logModes } from '../mta/settings.ts';
import { standardSelection } from '../observe/log-selectors.ts';
import { Logs, timestamp } from '../observe/main-log.ts';
import type { Action, Invocation } from './invocation.ts';
import type { Terminal } from './output.ts';

/** Tests, which leave nothing in any log. */
const unlogged: ReadonlySet<Action | undefined> = new Set<Action>([
  'expand',
  'fake smtp',
  'test address',
  'test filter',
  'verify recipient',
  'verify sender',
  'version',
]);

/** The line as those see it who look on at what is logged, or with the time. */
function shown(text: string, { action, verbose, arguments: words }: Invocation): string {
  if (action === 'fake smtp') return `LOG: ${text}\n`;
  if (verbose || (action === 'options' && words[0] !== 'config')) return `LOG: PANIC DIE\n  ${text}\n`;
  return `${timestamp(clock.now())} ${text}\n`;
}

/** Tells it, in full. A panic log that cannot be found or written is left alone. */
export async function tellRefusal(
  text: string,
  invocation: Invocation,
  config: Config,
  installation: Installation,
  { error }: Terminal,
): Promise<void> {
  error(shown(text, invocation));
  if (unlogged.has(invocation.action)) return;
  const early = earlyContext(config, installation, new Map());
  try {
    const logs = new Logs({
      paths: await earlyLogPaths(config, installation, early.context(early.settings)),
      hasUnusedPaths: false,
      selection: standardSelection,
      ...logModes(installation),
      owner: process.geteuid?.() === 0 ? effectiveServerUser(config, installation) : undefined,
      timezone: config.main.log_timezone,
      rejectLog: true,
    });
    logs.lastWords(text);
    logs.close();
  } catch (problem) {
    if (!(problem instanceof BadSetting)) throw problem;
  } finally {
    early.close();
  }
}
