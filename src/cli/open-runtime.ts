/** From the command line to everything that works with its configuration. */

import type { Config, Dialect } from '../config/config.ts';
import type { Installation } from '../config/installation.ts';
import * as clock from '../lib/clock.ts';
import { lower } from '../lib/octets.ts';
import { makeRuntime, type Runtime } from '../mta/runtime.ts';
import { BadSetting } from '../mta/settings.ts';
import { timestamp } from '../observe/main-log.ts';
import type { TransportInstance } from '../transports/transport.ts';
import { errorsIn, readConfiguration } from './configuration.ts';
import type { Invocation } from './invocation.ts';
import type { Terminal } from './output.ts';

const refusals = () => import('./refused-configuration.ts');

/** A variable of the environment that tells a daemon that it was put into the background by this program. */
export const backgroundMark = 'TABELLA_DAEMON';

/**
 * Reads the configuration. Mistakes are told on standard error; with them there is no runtime.
 * @throws UnusableConfiguration
 */
export async function openRuntime(
  invocation: Invocation,
  installation: Installation,
  terminal: Terminal,
): Promise<Runtime | undefined> {
  const { config: written, problems } = await readConfiguration(invocation, installation, terminal.error);
  const errors = errorsIn(problems);
  if (errors.length > 0) {
    const { tellRefusal } = await refusals();
    for (const error of errors) await tellRefusal(error, invocation, written, installation, terminal);
    return undefined;
  }
  const { messagesPerConnection: most } = invocation;
  const config = most === undefined ? written : withLimit(written, most);
  const rehearsal = withoutLogs.has(invocation.action);
  const shown = invocation.action === 'fake smtp' || invocation.action === 'test address';
  useTimeZone(config.main.timezone);
  try {
    return await makeRuntime(installation, config, {
      environment: process.env,
      queue: invocation.queue,
      syslogName: invocation.syslogName,
      withoutLogFiles: rehearsal,
      echo: logEcho(invocation, config.dialect, terminal),
      // in the background there is nobody to be told
      panicEcho: shown || process.env[backgroundMark] !== undefined ? undefined : terminal.error,
    });
  } catch (error) {
    if (!(error instanceof BadSetting)) throw error;
    const text = error.isWhole ? error.message : `Exim configuration error:\n  ${error.message}`;
    await (await refusals()).tellRefusal(text, invocation, config, installation, terminal);
    return undefined;
  }
}

/** The zone of times from here on; without one the system's, whatever the caller's environment says. */
function useTimeZone(name = ''): void {
  if (name === '') delete process.env['TZ'];
  else process.env['TZ'] = lower(name) === 'utc' ? 'UTC' : name;
}

/** `-oB` prevails over what transports say of the messages of one connection. */
function withLimit(config: Config, most: number): Config {
  const limited = ([name, transport]: readonly [string, TransportInstance]): [string, TransportInstance] => {
    const { driver, common, set } = transport;
    if (!('connection_max_messages' in transport.options)) return [name, transport];
    const options = { ...transport.options, connection_max_messages: most };
    return [name, { ...transport, options, worker: driver.make(options, common, set) }];
  };
  return { ...config, transports: new Map([...config.transports].map(limited)) };
}

/** Rehearsals, which leave no line in any log. */
const withoutLogs: ReadonlySet<Invocation['action']> = new Set([
  'fake smtp',
  'test address',
  'verify recipient',
  'verify sender',
]);

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
