/** Runs one POP3 session over a connection that was taken. */

import type { ConnectionFacts } from '../expand/context.ts';
import type { Mailboxes } from '../mta/mailboxes.ts';
import { newContext, type Runtime } from '../mta/runtime.ts';
import type { LineConnection } from '../net/line-connection.ts';
import { LoginPolicy } from './login-policy.ts';
import type { SessionEnd } from './policy.ts';
import { Pop3Session } from './session.ts';

export function servePop3(
  lines: LineConnection,
  connection: ConnectionFacts,
  runtime: Runtime,
  mailboxes: Mailboxes,
  beginsWithTls: boolean,
): Promise<SessionEnd> {
  const { pop3_receive_timeout: seconds, pop3_max_failures: maximumFailures } = runtime.config.main;
  const context = newContext(runtime);
  context.connection = connection;
  connection.receivedProtocol = 'pop3';
  const policy = new LoginPolicy(runtime, context, mailboxes);
  return new Pop3Session(lines, policy, { timeout: seconds * 1000, maximumFailures, beginsWithTls }).run();
}
