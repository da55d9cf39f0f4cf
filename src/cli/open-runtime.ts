/** From the command line to everything that works with its configuration. */

import type { Installation } from '../config/installation.ts';
import { makeRuntime, type Runtime } from '../mta/runtime.ts';
import { readConfiguration, reportProblems } from './configuration.ts';
import type { Invocation } from './invocation.ts';
import type { Terminal } from './output.ts';

/**
 * Reads the configuration. Mistakes are told on standard error; with them there is no runtime.
 * @throws UnusableConfiguration, BadSetting
 */
export async function openRuntime(
  invocation: Invocation,
  installation: Installation,
  terminal: Terminal,
): Promise<Runtime | undefined> {
  const { config, problems } = readConfiguration(invocation, installation, terminal.error);
  if (reportProblems(problems, terminal.error)) return undefined;
  const rehearsal = invocation.action === 'fake smtp';
  return makeRuntime(installation, config, {
    environment: process.env,
    withoutLogFiles: rehearsal,
    echo: logEcho(invocation, terminal),
    panicEcho: rehearsal ? undefined : terminal.error,
  });
}

/** Shows what is logged (`-v`, `-d`, `-bh`). */
function logEcho(
  { verbose, action }: Invocation,
  { error }: Terminal,
): ((logs: string, text: string, id: string | undefined) => void) | undefined {
  if (action === 'fake smtp') return (_, text, id) => error(`LOG: ${id === undefined ? '' : `${id} `}${text}\n`);
  return verbose ? (logs, text) => error(`LOG: ${logs}\n  ${text}\n`) : undefined;
}
