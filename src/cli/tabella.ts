/** The program under its own name: commands that Exim does not have; all else is Exim's command line. */

import { readInstallation } from '../config/installation.ts';
import { BadSetting } from '../mta/settings.ts';
import { nobody } from '../observe/decision.ts';
import { reviewed } from '../safe/taint.ts';
import { reportCheck } from '../tools/check/check.ts';
import { convert } from '../tools/convert.ts';
import { startDelivery } from './background.ts';
import { callerOf } from './caller.ts';
import { expireCommand } from './commands/expire.ts';
import { importCommand } from './commands/import.ts';
import { rebuildCommand } from './commands/rebuild.ts';
import { readConfiguration, UnusableConfiguration } from './configuration.ts';
import { demo } from './demo.ts';
import { exim } from './exim.ts';
import { explain } from './explain.ts';
import type { Invocation } from './invocation.ts';
import { openRuntime } from './open-runtime.ts';
import { parseCommandLine, UsageError } from './options.ts';
import { standardTerminal, type Terminal } from './output.ts';
import type { Start } from './start.ts';

interface TabellaCommand {
  readonly doc: string;
  run(start: Start, terminal: Terminal): Promise<number>;
}

async function runExplain({ directory, words, self }: Start, terminal: Terminal): Promise<number> {
  const invocation: Invocation = parseCommandLine(words.slice(1));
  const { installation } = readInstallation(directory);
  const runtime = await openRuntime(invocation, installation, terminal);
  if (runtime === undefined) return 1;
  return explain({
    invocation,
    words,
    installation,
    runtime,
    caller: await callerOf(runtime),
    terminal,
    self,
    decisions: nobody,
    inBackground: (message) => startDelivery(message, invocation, self),
  });
}

async function runCheck({ directory, words }: Start, terminal: Terminal): Promise<number> {
  const invocation = parseCommandLine(words.slice(1));
  const { installation } = readInstallation(directory);
  const { config, problems, missing } = await readConfiguration(invocation, installation, terminal.error);
  if (missing) {
    terminal.error(`there is no configuration file: none of ${installation.configureFile}\n`);
    return 1;
  }
  return reportCheck(config, problems, (line) => terminal.out(`${line}\n`)) ? 0 : 1;
}

async function runConvert({ words }: Start, terminal: Terminal): Promise<number> {
  const [file, ...others] = words.slice(1);
  if (file === undefined || others.length > 0) throw new UsageError('usage: tabella convert file');
  return convert(reviewed(file, 'named on the command line, and read with the rights of the caller'), terminal);
}

const commands: ReadonlyMap<string, TabellaCommand> = new Map([
  ['check', { doc: 'checks a configuration: [-C file] [-DMACRO=value]', run: runCheck }],
  ['convert', { doc: 'writes the Exim 4 text of an Exim 3 configuration, with remarks: file', run: runConvert }],
  ['demo', { doc: 'runs the server with embedded defaults below ./var', run: demo }],
  ['explain', { doc: 'tells how addresses are routed, and why: [-C file] [-f sender] address…', run: runExplain }],
  [
    'expire',
    {
      doc: 'removes files that have become too old by expire_rules: [-C file] [--dry-run] [--progress] [-v]',
      run: expireCommand,
    },
  ],
  [
    'import',
    {
      doc: 'brings qmail, qmail-ldap or an aliases file into tables, SQL or LDIF (tabella import says how)',
      run: ({ words }, terminal) => importCommand(words.slice(1), terminal),
    },
  ],
  [
    'rebuild',
    {
      doc: 'makes tables anew whose text has changed: [--dry-run] [--all] [-v] directory|file…',
      run: ({ words }, terminal) => rebuildCommand(words.slice(1), terminal),
    },
  ],
  ['help', { doc: 'shows this', run: async (_, terminal) => help(terminal) }],
]);

function help({ out }: Terminal): number {
  out('Tabella: a mail server that runs Exim configuration.\n\nCommands of its own:\n');
  for (const [name, { doc }] of commands)
    out(`  tabella ${name.padEnd(8)} ${Buffer.from(doc, 'utf8').toString('latin1')}\n`);
  out(
    "\nEverything else is Exim's command line: tabella -bt, -bp, -bd …; see docs/reference/command-line.md\n".replace(
      '…',
      '...',
    ),
  );
  return 0;
}

/** Answers the exit status. */
export async function tabella(start: Start): Promise<number> {
  const command = commands.get(start.words[0] ?? 'help');
  if (command === undefined) return exim(start);
  const terminal = standardTerminal();
  try {
    return await command.run(start, terminal);
  } catch (error) {
    if (error instanceof UnusableConfiguration) return 1;
    if (!(error instanceof UsageError || error instanceof BadSetting)) throw error;
    terminal.error(`tabella: ${error.message}\n`);
    return 64;
  }
}
