/** What tests of addresses and expansions see: the message that their caller would send, and the ACLs. */

import type { Context } from '../expand/context.ts';
import { emptyMessage } from '../expand/facts.ts';
import type { AclRunner } from '../mta/acl-runner.ts';
import { newContext } from '../mta/runtime.ts';
import type { Call } from './call.ts';
import { testConnection } from './origin.ts';

export function testContext(call: Call): Context {
  const { invocation, runtime, caller, decisions } = call;
  let acls: AclRunner | undefined;
  const context = newContext(runtime, decisions, async (name, args) => {
    // few tests run an ACL
    const { AclRunner } = await import('../mta/acl-runner.ts');
    acls ??= new AclRunner(runtime, context, {
      delay: async () => undefined,
      flush: async () => undefined,
      allowUnqualifiedSenders: true,
      isTest: true,
      makesCallouts: false,
    });
    return acls.runFromExpansion(name, args);
  });
  context.connection = testConnection(call);
  const own = `${caller.login}@${runtime.settings.qualifyDomain}`;
  const sender = invocation.sender ?? own;
  context.message = emptyMessage(sender === '<>' ? '' : sender, caller);
  const given = caller.isTrusted ? invocation.origin.authenticatedSender : undefined;
  context.message.authenticatedSender = given ?? (invocation.sender === undefined ? own : '');
  return context;
}
