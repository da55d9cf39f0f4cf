/** The program as `exim`, `sendmail`, `mailq` and the other names: reads the command line and runs one command. */

import { type Installation, readInstallation } from '../config/installation.ts';
import { Macros } from '../config/macros.ts';
import type { Context } from '../expand/context.ts';
import { emptyMessage, localConnection } from '../mta/facts.ts';
import { routerServices } from '../mta/router-services.ts';
import { makeRuntime, newContext, type Runtime } from '../mta/runtime.ts';
import { BadSetting } from '../mta/settings.ts';
import type { SelfCommand } from '../mta/subprocess.ts';
import { type DebugArea, debugAreas, parseDebugAreas } from '../observe/debug-areas.ts';
import { DecisionPrinter, type Decisions, nobody } from '../observe/decision.ts';
import type { QueueId } from '../safe/taint.ts';
import { startDelivery } from './background.ts';
import { type Caller, callerOf } from './caller.ts';
import { expandCommand } from './commands/expand.ts';
import { messagesCommand } from './commands/messages.ts';
import { printOptions } from './commands/print-options.ts';
import { countQueueCommand, listQueueCommand } from './commands/queue-list.ts';
import { queueRunCommand } from './commands/queue-run.ts';
import { fakeSmtpCommand, smtpCommand } from './commands/smtp.ts';
import { submitCommand } from './commands/submit.ts';
import { type AddressTest, testAddresses } from './commands/test-address.ts';
import { versionLines } from './commands/version.ts';
import { readConfiguration, reportProblems, UnusableConfiguration } from './configuration.ts';
import type { Action, Invocation } from './invocation.ts';
import { parseCommandLine, UsageError } from './options.ts';
import { standardTerminal, type Terminal } from './output.ts';
import type { Start } from './start.ts';

/** What a command gets. */
export interface Call {
  readonly invocation: Invocation;
  readonly installation: Installation;
  readonly runtime: Runtime;
  readonly caller: Caller;
  readonly terminal: Terminal;
  /** How this program starts itself. */
  readonly self: SelfCommand;
  /** Who is told what is decided (`-d`, `-bh`). */
  readonly decisions: Decisions;
  /** Has another process deliver a message. */
  inBackground(id: QueueId): void;
}

/** Facts about the message a local caller would send, for tests. */
function testContext({ invocation, runtime, caller }: Call): Context {
  const context = newContext(runtime);
  context.connection = localConnection(caller.login);
  const sender = invocation.sender ?? `${caller.login}@${runtime.settings.qualifyDomain}`;
  context.message = emptyMessage(sender === '<>' ? '' : sender, caller);
  return context;
}

function addressTest(purpose: AddressTest['purpose']): Command {
  return (call) => {
    const { invocation, runtime, caller, terminal } = call;
    const { config, settings } = runtime;
    return testAddresses(
      invocation.arguments,
      {
        purpose,
        full: purpose === 'test' || invocation.verbose,
        isAdmin: caller.isAdmin,
        qualifyRecipient: settings.qualifyRecipient,
        qualifyDomain: settings.qualifyDomain,
        allowDomainLiterals: config.main.allow_domain_literals,
        rules: {
          routers: config.routers,
          transports: config.transports,
          services: routerServices(runtime),
          debugPrint: invocation.verbose ? terminal.error : undefined,
          verifyErrorsTo: undefined,
        },
        newContext: () => testContext(call),
      },
      terminal,
    );
  };
}

type Command = (call: Call) => Promise<number>;

/** How the names of the program change its command line. */
const callNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['mailq', ['-bp']],
  ['rsmtp', ['-bS']],
  ['rmail', ['-i', '-oee']],
  ['runq', ['-q']],
  ['newaliases', ['-bi']],
]);

const commands: ReadonlyMap<Action, Command> = new Map<Action, Command>([
  ['receive', submitCommand],
  ['smtp', smtpCommand(false)],
  ['batch smtp', smtpCommand(true)],
  ['fake smtp', fakeSmtpCommand],
  ['queue run', queueRunCommand],
  ['messages', messagesCommand],
  ['list queue', listQueueCommand],
  ['count queue', countQueueCommand],
  ['test address', addressTest('test')],
  ['verify recipient', addressTest('verify recipient')],
  ['verify sender', addressTest('verify sender')],
  [
    'expand',
    (call) => {
      const { invocation, runtime, terminal } = call;
      const macros = new Macros(
        new Map(runtime.config.macros.map(({ name, value }) => [name, value])),
        runtime.config.builtinMacros,
      );
      return expandCommand(invocation.arguments, testContext(call), macros, terminal);
    },
  ],
  [
    'options',
    ({ invocation, installation, runtime, caller, terminal }) =>
      printOptions(
        invocation.arguments,
        { config: runtime.config, installation, isAdmin: caller.isAdmin, terse: invocation.terse },
        terminal.out,
        terminal.error,
      ),
  ],
  [
    'version',
    async ({ installation, runtime, terminal }) => {
      for (const line of versionLines(installation, runtime.config.file)) terminal.out(`${line}\n`);
      return 0;
    },
  ],
]);

const usage = `Exim is a Mail Transfer Agent. It is normally called by Mail User Agents,
not directly from a shell command line. Options and/or arguments control
what it does when called. For a list of options, see the Exim documentation.
`;

/** Runs the command line; answers the exit status. */
export async function exim({ directory, calledAs, words, self }: Start): Promise<number> {
  const terminal = standardTerminal();
  let invocation: Invocation;
  try {
    invocation = parseCommandLine([...(callNames.get(calledAs) ?? []), ...words]);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.error(`exim ${error.message}\n`);
    return 1;
  }
  const { installation, problem } = readInstallation(directory);
  if (problem !== undefined) terminal.error(`${problem}\n`);
  try {
    return await run(invocation, installation, self, terminal);
  } catch (error) {
    if (error instanceof UnusableConfiguration) return 1;
    if (!(error instanceof BadSetting)) throw error;
    terminal.error(`Exim configuration error:\n  ${error.message}\n`);
    return 1;
  }
}

/** Shows what is decided, as `-d` asks or as `-bh` does. */
function decisionsFor(
  { debug }: Invocation,
  action: Action,
  { error }: Terminal,
): Decisions | { readonly error: string } {
  if (debug !== undefined) {
    const areas = parseDebugAreas(debug);
    return 'error' in areas ? areas : new DecisionPrinter(areas, (line) => error(`${line}\n`));
  }
  if (action !== 'fake smtp') return nobody;
  const areas = new Set(Object.keys(debugAreas) as DebugArea[]);
  areas.delete('expand');
  return new DecisionPrinter(areas, (line) => error(`>>> ${line}\n`));
}

/** Shows what is logged. */
function logEcho(
  { verbose }: Invocation,
  rehearsal: boolean,
  { error }: Terminal,
): ((logs: string, text: string, id: string | undefined) => void) | undefined {
  if (rehearsal) return (_, text, id) => error(`LOG: ${id === undefined ? '' : `${id} `}${text}\n`);
  return verbose ? (logs, text) => error(`LOG: ${logs}\n  ${text}\n`) : undefined;
}

async function run(
  invocation: Invocation,
  installation: Installation,
  self: SelfCommand,
  terminal: Terminal,
): Promise<number> {
  const { config, problems } = readConfiguration(invocation, installation, terminal.error);
  if (reportProblems(problems, terminal.error)) return 1;
  const action =
    invocation.action ?? (invocation.arguments.length > 0 || invocation.recipientsFromHeaders ? 'receive' : 'help');
  if (action === 'help') {
    terminal.out(usage);
    return invocation.action === 'help' ? 0 : 1;
  }
  const decisions = decisionsFor(invocation, action, terminal);
  if ('error' in decisions) {
    terminal.error(`exim: ${decisions.error}\n`);
    return 1;
  }
  const rehearsal = action === 'fake smtp';
  const runtime = await makeRuntime(installation, config, {
    environment: process.env,
    withoutLogFiles: rehearsal,
    echo: logEcho(invocation, rehearsal, terminal),
    panicEcho: rehearsal ? undefined : terminal.error,
  });
  const command = commands.get(action);
  if (command === undefined) {
    terminal.error(`${action} is not available in this version\n`);
    return 1;
  }
  return command({
    invocation,
    installation,
    runtime,
    caller: callerOf(config, runtime.user),
    terminal,
    self,
    decisions,
    inBackground: (id) => startDelivery(id, invocation, self),
  });
}
