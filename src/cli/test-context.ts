/** What tests of addresses and expansions see: the message that their caller would send. */

import type { Context } from '../expand/context.ts';
import { emptyMessage, localConnection } from '../mta/facts.ts';
import { newContext } from '../mta/runtime.ts';
import type { Call } from './call.ts';

export function testContext({ invocation, runtime, caller, decisions }: Call): Context {
  const context = newContext(runtime, decisions);
  context.connection = { ...localConnection(caller.login), authenticatedId: caller.login };
  const sender = invocation.sender ?? `${caller.login}@${runtime.settings.qualifyDomain}`;
  context.message = emptyMessage(sender === '<>' ? '' : sender, caller);
  return context;
}
