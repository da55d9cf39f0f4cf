/** Runs one POP3 session over a connection that was taken. */

import type { ConnectionFacts } from '../expand/context.ts';
import { newContext } from '../mta/runtime.ts';
import type { LineConnection } from '../net/line-connection.ts';
import { LoginPolicy, type Pop3Tools } from './login-policy.ts';
import type { SessionEnd } from './policy.ts';
import { Pop3Session } from './session.ts';

export function servePop3(
  lines: LineConnection,
  connection: ConnectionFacts,
  tools: Pop3Tools,
  beginsWithTls: boolean,
): Promise<SessionEnd> {
  const { runtime } = tools;
  const { main } = runtime.config;
  const settings = {
    timeout: main.pop3_receive_timeout * 1000,
    loginTimeout: main.pop3_login_timeout * 1000,
    maximumFailures: main.pop3_max_failures,
    beginsWithTls,
  };
  const context = newContext(runtime);
  context.connection = connection;
  connection.receivedProtocol = 'pop3';
  return new Pop3Session(lines, new LoginPolicy(tools, context), settings).run();
}
