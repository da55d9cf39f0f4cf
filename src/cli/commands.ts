/** Which command does what the command line asks for: one row for each action. */

import { Macros } from '../config/macros.ts';
import { messageFactsOf } from '../mta/message-context.ts';
import { routerServices } from '../mta/router-services.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import type { Call, Command } from './call.ts';
import { buildInformationCommand } from './commands/build-information.ts';
import { daemonCommand, removePidFileCommand } from './commands/daemon.ts';
import { expandCommand } from './commands/expand.ts';
import { logLineCommand } from './commands/log-line.ts';
import { openMessage } from './commands/message-opening.ts';
import { messagesCommand } from './commands/messages.ts';
import { printOptions } from './commands/print-options.ts';
import { countQueueCommand, listQueueCommand } from './commands/queue-list.ts';
import { queueRunCommand } from './commands/queue-run.ts';
import { rebuildAliasesCommand } from './commands/rebuild-aliases.ts';
import { scanForMalwareCommand } from './commands/scan-for-malware.ts';
import { fakeSmtpCommand, smtpCommand } from './commands/smtp.ts';
import { submitCommand } from './commands/submit.ts';
import { type AddressTest, testAddresses } from './commands/test-address.ts';
import { testFilterCommand } from './commands/test-filter.ts';
import { testRetryCommand } from './commands/test-retry.ts';
import { testRewriteCommand } from './commands/test-rewrite.ts';
import { versionLines } from './commands/version.ts';
import type { Action } from './invocation.ts';
import { testContext } from './test-context.ts';
import { takeTestMessage } from './test-message.ts';

const addressTest =
  (purpose: AddressTest['purpose']): Command =>
  (call) => {
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
        utf8Domain: config.main.allow_utf8_domains,
        rules: {
          routers: config.routers,
          transports: config.transports,
          services: routerServices(runtime),
          debugPrint: invocation.verbose || purpose === 'test' ? terminal.error : undefined,
          verifyErrorsTo: undefined,
        },
        dialect: config.dialect,
        directors: config.directors,
        newContext: () => testContext(call),
      },
      terminal,
    );
  };

export const testAddressCommand: Command = addressTest('test');

/** `-Mset`: the message whose values are shown. One that cannot be had is told, and its values are empty. */
function queuedMessage(call: Call): SpooledMessage | undefined {
  const { messageId: id } = call.invocation;
  if (id === undefined) return undefined;
  const opening = openMessage(id, call);
  if ('message' in opening) return opening.message;
  call.terminal.error(`Failed to load message datafile ${id}\nFailed to load message ${id}\n`);
  return undefined;
}

async function expand(call: Call): Promise<number> {
  const { invocation, runtime, terminal } = call;
  const context = testContext(call);
  if (invocation.messageFile !== undefined && context.message !== undefined) {
    const problem = await takeTestMessage(invocation.messageFile, context, context.message, {
      runtime,
      out: terminal.out,
    });
    if (problem !== undefined) {
      terminal.error(`exim: ${problem}\n`);
      return 1;
    }
  }
  const message = queuedMessage(call);
  if (message !== undefined) context.message = messageFactsOf(message.envelope, message.body);
  const { macros, builtinMacros } = runtime.config;
  const known = new Macros(new Map(macros.map(({ name, value }) => [name, value])), builtinMacros);
  try {
    return await expandCommand(invocation.arguments, context, known, terminal);
  } finally {
    message?.release();
  }
}

const options: Command = ({ invocation, installation, runtime, caller, terminal }) =>
  printOptions(
    invocation.arguments,
    { config: runtime.config, installation, isAdmin: caller.isAdmin, terse: invocation.terse },
    terminal.out,
    terminal.error,
  );

const version: Command = async ({ installation, runtime, terminal }) => {
  for (const line of versionLines(installation, runtime.config.file)) terminal.out(`${line}\n`);
  return 0;
};

export const commands: ReadonlyMap<Action, Command> = new Map<Action, Command>([
  ['receive', submitCommand],
  ['smtp', smtpCommand(false)],
  ['batch smtp', smtpCommand(true)],
  ['fake smtp', fakeSmtpCommand],
  ['daemon', daemonCommand],
  ['queue run', queueRunCommand],
  ['messages', messagesCommand],
  ['list queue', listQueueCommand],
  ['count queue', countQueueCommand],
  ['rebuild aliases', rebuildAliasesCommand],
  ['scan for malware', scanForMalwareCommand],
  ['remove pid file', removePidFileCommand],
  ['log line', logLineCommand],
  ['build information', buildInformationCommand],
  ['test address', testAddressCommand],
  ['verify recipient', addressTest('verify recipient')],
  ['verify sender', addressTest('verify sender')],
  ['test filter', testFilterCommand],
  ['test retry', testRetryCommand],
  ['test rewrite', testRewriteCommand],
  ['expand', expand],
  ['options', options],
  ['version', version],
]);
