/** The external authenticator: the client says who it is, and something else has proved it (RFC 4422; Exim spec 41). */

import type { Template } from '../expand/expand.ts';
import { Text } from '../safe/taint.ts';
import { defineAuthenticator, type Examine, type LogIn } from './authenticator.ts';
import { decideByParameters } from './expanding.ts';
import { externalOptions } from './external-options.ts';

function examine(parameters: readonly (Template | undefined)[], condition: Template): Examine {
  return async ({ initial, ask }, context) => {
    const answer = initial === undefined ? await ask('') : ({ outcome: 'text', text: initial } as const);
    if (answer.outcome !== 'text') return answer;
    const identity = answer.text.split('\0', 1)[0] ?? '';
    return decideByParameters([Text.tainted(identity)], parameters, condition, context);
  };
}

function logIn(identity: Template): LogIn {
  return async (server, context) => {
    const expansion = await identity.expand(context);
    if (!expansion.ok) {
      return expansion.kind === 'forced' ? { outcome: 'skipped' } : { outcome: 'failed', message: expansion.message };
    }
    const turn = await server.begin(expansion.text.value);
    return turn.outcome === 'challenge' ? { outcome: 'refused' } : turn;
  };
}

export const external = defineAuthenticator({
  name: 'external',
  summary: 'who the TLS certificate says (RFC 4422)',
  options: externalOptions,
  make: ({ server_param2, server_param3, client_send }, { server_condition }) => ({
    examine: server_condition === undefined ? undefined : examine([server_param2, server_param3], server_condition),
    logIn: client_send === undefined ? undefined : logIn(client_send),
  }),
});
