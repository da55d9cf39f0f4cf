/** What the mechanisms of the gsasl authenticator ask, of the client and of the configuration (Exim spec 38). */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { ClientAnswer, ClientConversation, ServerVerdict } from './authenticator.ts';
import { verdictOnFailure } from './expanding.ts';

/** The options that the server's side looks at. */
export interface GsaslServer {
  /** A login is bound to the TLS connection where the mechanism can. */
  readonly binds: boolean;
  readonly hostname: Template | undefined;
  readonly realm: Template | undefined;
  readonly password: Template | undefined;
  readonly key: Template | undefined;
  readonly storedKey: Template | undefined;
  readonly salt: Template | undefined;
  readonly rounds: Template | undefined;
  readonly condition: Template | undefined;
}

/** What came with the command, or what the client says when it is asked for it. */
export async function firstAnswer({ initial, ask }: ClientConversation): Promise<ClientAnswer> {
  return initial === undefined ? ask('') : ({ outcome: 'text', text: initial } as const);
}

/** The text of an option; an empty one when it is not set. A forced failure defers (Exim spec 38, server_password). */
export async function optionText(
  template: Template | undefined,
  context: Context,
): Promise<{ readonly text: string } | ServerVerdict> {
  const expansion = await template?.expand(context);
  if (expansion === undefined) return { text: '' };
  if (expansion.ok) return { text: expansion.text.value };
  return expansion.kind === 'forced'
    ? { outcome: 'deferred', message: expansion.message, told: false }
    : verdictOnFailure(expansion);
}
