/** From the command line to everything that works with its configuration. */

import type { Dialect } from '../config/config.ts';
import type { Installation } from '../config/installation.ts';
import * as clock from '../lib/clock.ts';
import { makeRuntime, type Runtime } from '../mta/runtime.ts';
import { timestamp } from '../observe/main-log.ts';
import { readConfiguration, reportProblems } from './configuration.ts';
import type { Invocation } from './invocation.ts';
import type { Terminal } from './output.ts';

/** A variable of the environment that tells a daemon that it was put into the background by this program. */
export const backgroundMark = 'TABELLA_DAEMON';

/**
 * Reads the configuration. Mistakes are told on standard error; with them there is no runtime.
 * @throws UnusableConfiguration, BadSetting
 */
export async function openRuntime(
  invocation: Invocation,
  installation: Installation,
  terminal: Terminal,
): Promise<Runtime | undefined> {
  const { config, problems } = await readConfiguration(invocation, installation, terminal.error);
  if (reportProblems(problems, terminal.error)) return undefined;
  const rehearsal = withoutLogs.has(invocation.action);
  const shown = rehearsal || invocation.action === 'test address';
  return makeRuntime(installation, config, {
    environment: process.env,
    queue: invocation.queue,
    withoutLogFiles: rehearsal,
    echo: logEcho(invocation, config.dialect, terminal),
    // in the background there is nobody to be told
    panicEcho: shown || process.env[backgroundMark] !== undefined ? undefined : terminal.error,
  });
}

/** Rehearsals, which leave no line in any log. */
const withoutLogs: ReadonlySet<Invocation['action']> = new Set(['fake smtp', 'test address']);

/** Shows what is logged (`-v`, `-d`, `-bh`). Exim 3 showed a level, too, which was 0 for all that is always logged. */
function logEcho(
  { verbose, action }: Invocation,
  dialect: Dialect,
  { error }: Terminal,
): ((logs: string, text: string, id: string | undefined) => void) | undefined {
  if (action === 'fake smtp') {
    return (logs, text, id) =>
      logs === 'REJECT' ? undefined : error(`LOG: ${id === undefined ? '' : `${id} `}${text}\n`);
  }
  if (!verbose && (action === 'verify recipient' || action === 'verify sender')) {
    return (logs, text) => (logs === 'MAIN' ? error(`${timestamp(clock.now())} ${text}\n`) : undefined);
  }
  const level = verbose && dialect === 3 ? '0 ' : '';
  return verbose || action === 'test address' ? (logs, text) => error(`LOG: ${level}${logs}\n  ${text}\n`) : undefined;
}
