/** Lets one side of an authenticator log in at the other, for tests. */

import assert from 'node:assert/strict';
import { testContext } from '../lookups/test-context.ts';
import type { AuthenticatorSides, ClientVerdict, ServerTurn, ServerVerdict } from './authenticator.ts';

export interface Outcome {
  readonly server: ServerVerdict;
  readonly client: ClientVerdict;
  readonly values: readonly string[];
}

/** Lets the client log in at the server; `spoil` changes what the client says, turn by turn. */
export async function logIn(
  { examine }: AuthenticatorSides,
  client: AuthenticatorSides,
  spoil: (text: string, turn: number) => string = (text) => text,
): Promise<Outcome> {
  assert.ok(examine && client.logIn);
  const context = testContext();
  let turn = 0;
  let said: ((text: string) => void) | undefined;
  let heard: ((turn: ServerTurn) => void) | undefined;
  let server: Promise<ServerVerdict> | undefined;
  const next = (): Promise<ServerTurn> =>
    new Promise((resolve) => {
      heard = resolve;
    });
  const client_ = client.logIn(
    {
      begin(initial) {
        const reply = next();
        server = examine(
          {
            initial: initial === undefined ? undefined : spoil(initial, turn++),
            ask: (challenge) =>
              new Promise((resolve) => {
                said = (text) => resolve({ outcome: 'text', text });
                heard?.({ outcome: 'challenge', text: challenge, reply: challenge });
              }),
          },
          context,
        );
        void server.then(({ outcome }) => heard?.({ outcome: outcome === 'accepted' ? 'accepted' : 'refused' }));
        return reply;
      },
      answer(text) {
        const reply = next();
        said?.(spoil(text, turn++));
        return reply;
      },
    },
    testContext(),
  );
  const verdict = await client_;
  assert.ok(server);
  const pending = Symbol('the server still waits');
  const decided = await Promise.race([server, new Promise((resolve) => setTimeout(resolve, 50, pending))]);
  return {
    server: decided === pending ? { outcome: 'lost' } : (decided as ServerVerdict),
    client: verdict,
    values: (context.authValues ?? []).map(({ value }) => value),
  };
}
