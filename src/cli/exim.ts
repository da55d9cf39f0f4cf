/** The program as `exim`, `sendmail`, `mailq` and the other names: reads the command line and runs one command. */

import { type Installation, readInstallation, serverUser } from '../config/installation.ts';
import { BadSetting } from '../mta/settings.ts';
import { type DebugArea, debugAreas, parseDebugAreas } from '../observe/debug-areas.ts';
import { DecisionPrinter, type Decisions, DialoguePrinter, nobody } from '../observe/decision.ts';
import { startDelivery } from './background.ts';
import type { Call } from './call.ts';
import { callerOf } from './caller.ts';
import { checks } from './checks.ts';
import { commands } from './commands.ts';
import { UnusableConfiguration } from './configuration.ts';
import { debugHeading } from './debug-heading.ts';
import type { Action, Invocation } from './invocation.ts';
import { logArguments } from './log-arguments.ts';
import { openRuntime } from './open-runtime.ts';
import { Abandoned, BadReference, parseCommandLine, UsageError } from './options.ts';
import { standardTerminal, type Terminal } from './output.ts';
import { givenSender } from './sender.ts';
import type { Start } from './start.ts';

/** How the names of the program change its command line. */
const callNames: ReadonlyMap<string, CallName> = new Map<string, CallName>([
  ['mailq', { words: ['-bp'] }],
  ['rsmtp', { words: ['-bS'] }],
  ['rmail', { words: ['-i', '-oee'], standard: { localProtocol: 'local-rmail' } }],
  ['runq', { words: ['-q'] }],
  ['newaliases', { words: ['-bi'] }],
]);

interface CallName {
  readonly words: readonly string[];
  readonly standard?: Partial<Invocation>;
}

const usage = `Exim is a Mail Transfer Agent. It is normally called by Mail User Agents,
not directly from a shell command line. Options and/or arguments control
what it does when called. For a list of options, see the Exim documentation.
`;

/** Runs the command line; answers the exit status. */
export async function exim(start: Start): Promise<number> {
  const terminal = standardTerminal();
  let invocation: Invocation;
  try {
    const name = callNames.get(start.calledAs);
    invocation = parseCommandLine([...(name?.words ?? []), ...start.words], name?.standard);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const name = error instanceof BadReference ? '' : error instanceof Abandoned ? 'exim ' : 'exim: ';
    terminal.error(`${name}${error.message}\n`);
    return 1;
  }
  const { installation, problem } = readInstallation(start.directory);
  if (problem !== undefined) terminal.error(`${problem}\n`);
  try {
    return await run(invocation, installation, start, terminal);
  } catch (error) {
    if (error instanceof UnusableConfiguration) return 1;
    if (!(error instanceof BadSetting)) throw error;
    terminal.error(`Exim configuration error:\n  ${error.message}\n`);
    return 1;
  }
}

/** What also a caller may do whom nobody knows by name. */
const needNoName: ReadonlySet<Action> = new Set<Action>(['version', 'list queue', 'count queue', 'build information']);

/** What puts messages on a queue. */
const handsOver: ReadonlySet<Action> = new Set<Action>(['receive', 'smtp', 'batch smtp']);

/** Shows what is decided, as `-d` asks or as `-bh` does. */
function decisionsFor(
  { debug, action, verbose }: Invocation,
  { error }: Terminal,
): Decisions | { readonly error: string } {
  if (debug !== undefined) {
    const areas = parseDebugAreas(debug);
    return 'error' in areas ? areas : new DecisionPrinter(areas, (line) => error(`${line}\n`));
  }
  if (action !== 'fake smtp') return verbose ? new DialoguePrinter((line) => error(`${line}\n`)) : nobody;
  const areas = new Set(Object.keys(debugAreas) as DebugArea[]);
  areas.delete('expand');
  return new DecisionPrinter(areas, (line) => error(`>>> ${line}\n`));
}

/**
 * Whether the server user brings a configuration of its own. This program gives nobody special rights for a file that
 * is named on the command line, so nothing is lost but what Exim would take away; the line is for those who watch for it.
 */
function losesPrivilege({ configFiles, action }: Invocation, installation: Installation): boolean {
  const uid = process.getuid?.();
  return configFiles !== undefined && action !== 'fake smtp' && uid !== 0 && uid === serverUser(installation).uid;
}

async function run(
  invocation: Invocation,
  installation: Installation,
  start: Start,
  terminal: Terminal,
): Promise<number> {
  const runtime = await openRuntime(invocation, installation, terminal);
  if (runtime === undefined) return 1;
  if (losesPrivilege(invocation, installation)) runtime.logs.panic('exim user lost privilege for using -C option');
  const { action: asked = 'receive' } = invocation;
  const hasRecipients = invocation.arguments.length > 0 || invocation.recipientsFromHeaders;
  const action = asked === 'receive' && !hasRecipients ? 'help' : asked;
  logArguments(action, start, runtime, terminal);
  const isMisplaced = invocation.messageId !== undefined && action !== 'expand';
  // a daemon takes no addresses
  if (isMisplaced || (action === 'daemon' && invocation.arguments.length > 0)) {
    terminal.error('exim: incompatible command-line options or arguments\n');
    return 1;
  }
  const load = commands.get(action);
  if (action === 'help') {
    terminal.out(usage);
    return 1;
  }
  if (load === undefined) {
    terminal.error(`exim: ${action} is not available in this version\n`);
    return 1;
  }
  const caller = await callerOf(runtime);
  if (!caller.isKnown && !needNoName.has(action)) {
    runtime.logs.panic(`Failed to get user name for uid ${caller.uid}`);
    return 1;
  }
  if (runtime.config.main.commandline_checks_require_admin && checks.has(action) && !caller.isAdmin) {
    terminal.error('exim: those command-line flags are set to require admin\n');
    return 1;
  }
  if (invocation.syslogName !== undefined && !caller.isAdmin) {
    terminal.error('exim: permission denied\n');
    return 1;
  }
  if (invocation.queue !== undefined && handsOver.has(action) && !caller.isAdmin) {
    // whoever likes could hide messages where no queue run looks, and fill the spool with directories
    terminal.error('exim: permission denied\n');
    return 1;
  }
  const decisions = decisionsFor(invocation, terminal);
  if ('error' in decisions) {
    terminal.error(`exim: ${decisions.error}\n`);
    return 1;
  }
  if (invocation.debug !== undefined) terminal.error(debugHeading(invocation.debug, runtime.config.dialect));
  const call: Call = {
    invocation,
    words: start.words,
    installation,
    runtime,
    caller,
    terminal,
    self: start.self,
    decisions,
    inBackground: (message) => startDelivery(message, invocation, start.self),
  };
  const sender = givenSender(call);
  if ('error' in sender) {
    terminal.error(`exim: ${sender.error}\n`);
    return 1;
  }
  return (await load())(call);
}
