/** What `-oM…` says of where a message comes from (Exim spec 5.2), as facts of a connection. Only trusted callers are believed. */

import type { ConnectionFacts } from '../expand/context.ts';
import { localConnection } from '../expand/facts.ts';
import { parseEndpoint } from '../net/address.ts';
import type { Call } from './call.ts';

/** The connection that tests of addresses and expansions see: the caller's own, but for what the options say. */
export function testConnection({ invocation, caller }: Pick<Call, 'invocation' | 'caller'>): ConnectionFacts {
  const origin = caller.isTrusted ? invocation.origin : {};
  const remote = origin.hostAddress === undefined ? undefined : parseEndpoint(origin.hostAddress);
  const own = origin.interfaceAddress === undefined ? undefined : parseEndpoint(origin.interfaceAddress);
  return {
    ...localConnection(origin.ident ?? caller.login),
    hostAddress: remote?.address ?? '',
    hostPort: remote?.port ?? 0,
    hostName: origin.hostName ?? '',
    handsNothingOver: true,
    interfaceAddress: own?.address ?? '',
    interfacePort: own?.port ?? -1,
    receivedProtocol: origin.protocol ?? '',
    authenticator: origin.authenticator ?? '',
    authenticatedId: origin.authenticatedId ?? (invocation.sender === undefined ? caller.login : ''),
  };
}
