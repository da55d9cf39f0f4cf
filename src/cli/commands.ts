/**
 * Which command does what the command line asks for: one row for each action. A command is loaded when it is to run, so
 * that those that do little start sooner.
 */

import type { Command } from './call.ts';
import type { Action } from './invocation.ts';

type Load = () => Promise<Command>;

const daemon = () => import('./commands/daemon.ts');
const smtp = () => import('./commands/smtp.ts');
const addressTests = () => import('./commands/test-address.ts');
const queueLists = () => import('./commands/queue-list.ts');

export const commands: ReadonlyMap<Action, Load> = new Map<Action, Load>([
  ['receive', async () => (await import('./commands/submit.ts')).submitCommand],
  ['smtp', async () => (await smtp()).smtpCommand(false)],
  ['batch smtp', async () => (await smtp()).smtpCommand(true)],
  ['fake smtp', async () => (await smtp()).fakeSmtpCommand],
  ['daemon', async () => (await daemon()).daemonCommand],
  ['queue run', async () => (await import('./commands/queue-run.ts')).queueRunCommand],
  ['messages', async () => (await import('./commands/messages.ts')).messagesCommand],
  ['list queue', async () => (await queueLists()).listQueueCommand],
  ['count queue', async () => (await queueLists()).countQueueCommand],
  ['rebuild aliases', async () => (await import('./commands/rebuild-aliases.ts')).rebuildAliasesCommand],
  ['scan for malware', async () => (await import('./commands/scan-for-malware.ts')).scanForMalwareCommand],
  ['remove pid file', async () => (await daemon()).removePidFileCommand],
  ['log line', async () => (await import('./commands/log-line.ts')).logLineCommand],
  ['build information', async () => (await import('./commands/build-information.ts')).buildInformationCommand],
  ['test address', async () => (await addressTests()).addressTest('test')],
  ['verify recipient', async () => (await addressTests()).addressTest('verify recipient')],
  ['verify sender', async () => (await addressTests()).addressTest('verify sender')],
  ['test filter', async () => (await import('./commands/test-filter.ts')).testFilterCommand],
  ['test retry', async () => (await import('./commands/test-retry.ts')).testRetryCommand],
  ['test rewrite', async () => (await import('./commands/test-rewrite.ts')).testRewriteCommand],
  ['expand', async () => (await import('./commands/expand.ts')).expandCommand],
  ['options', async () => (await import('./commands/print-options.ts')).optionsCommand],
  ['version', async () => (await import('./commands/version.ts')).versionCommand],
]);
