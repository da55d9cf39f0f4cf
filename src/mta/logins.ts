/**
 * Logging in by the authenticators of the configuration (Exim spec 33): which of them a client is offered, and what its
 * attempt comes to. SMTP, POP3 and whoever else lets people in ask here.
 */

import type {
  AuthenticatorInstance,
  ClientConversation,
  Examine,
  ServerVerdict,
} from '../authenticators/authenticator.ts';
import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { lower, trim, upper } from '../lib/octets.ts';
import type { Runtime } from './runtime.ts';

/** An authenticator that can examine clients. */
export type Examiner = AuthenticatorInstance & { readonly examine: Examine };

/** What an attempt came to; `id` is what `server_set_id` makes of it, empty when it says nothing. */
export type Login = ServerVerdict & { readonly id: string };

const refusals: ReadonlySet<string> = new Set(['', '0', 'no', 'false']);

/** The authenticators that this client may use, in the order of the configuration. */
export async function offered(runtime: Runtime, context: Context): Promise<readonly Examiner[]> {
  const found: Examiner[] = [];
  for (const authenticator of runtime.config.authenticators) {
    const { examine, isImplicit, common, name } = authenticator;
    if (examine === undefined || isImplicit === true || !(await isAble(authenticator, runtime, context))) continue;
    const expansion = await common.server_advertise_condition?.expand(context);
    if (expansion === undefined) found.push({ ...authenticator, examine });
    else if (expansion.ok) {
      if (!refusals.has(lower(trim(expansion.text.value)))) found.push({ ...authenticator, examine });
    } else if (expansion.kind === 'failed') {
      const what = `failed to expand server_advertise_condition of ${name} authenticator`;
      runtime.logs.panic(`${what}: ${expansion.message}`);
    }
  }
  return found;
}

/** Obstacles that the log was told of, by the name of the authenticator. */
const told = new Map<string, string | undefined>();

/** Whether what an authenticator needs is there; the log tells once what is not. */
async function isAble(authenticator: AuthenticatorInstance, { logs }: Runtime, context: Context): Promise<boolean> {
  const { name, obstacle } = authenticator;
  if (obstacle === undefined) return true;
  const why = await obstacle(context);
  if (why !== undefined && told.get(name) !== why) logs.panic(`${name} authenticator is not offered: ${why}`);
  told.set(name, why);
  return why === undefined;
}

/** The authenticator of a mechanism. */
export function mechanismNamed(name: string, examiners: readonly Examiner[]): Examiner | undefined {
  return examiners.find(({ common, name: instance }) => upper(common.public_name ?? instance) === upper(name));
}

/** Asks the authenticator that goes by the client's certificate alone, where there is one (Exim spec 42). */
export async function examineImplicitly(runtime: Runtime, context: Context): Promise<Login | undefined> {
  const found = runtime.config.authenticators.find(({ isImplicit, examine }) => isImplicit && examine !== undefined);
  if (found?.examine === undefined) return undefined;
  const silent: ClientConversation = { initial: undefined, ask: async () => ({ outcome: 'cancelled' }) };
  return logIn({ ...found, examine: found.examine }, silent, context);
}

/** Milliseconds that a refusal takes at least; longer ones take a multiple of it, so that time tells nothing. */
const step = 1000;

/**
 * Waits so that a refusal tells by its time neither whether there is such a user nor how long the search took. It comes
 * after `steps` seconds, or after more whole ones.
 */
export function evenly(begun: number, steps = 1): Promise<void> {
  const passed = clock.elapsed() - begun;
  return new Promise((resolve) => setTimeout(resolve, Math.max(Math.ceil(passed / step), steps) * step - passed));
}

/** Lets an authenticator examine a client, and notes in the facts of the connection who it is. */
export async function logIn(
  { name, common, examine }: Examiner,
  conversation: ClientConversation,
  context: Context,
): Promise<Login> {
  const { connection, decisions } = context;
  if (decisions.listening) decisions.begin('auth', `authenticator ${name}`);
  const verdict = await examine(conversation, context);
  if (common.server_debug_print !== undefined && decisions.listening) {
    const shown = await common.server_debug_print.expand(context);
    decisions.step('auth', 'server_debug_print', shown.ok ? shown.text.value : shown.message);
  }
  const isDecided = ['accepted', 'refused', 'deferred'].includes(verdict.outcome);
  const expansion = isDecided ? await common.server_set_id?.expand(context) : undefined;
  const id = expansion?.ok === true ? expansion.text.value : '';
  if (decisions.listening) decisions.end(verdict.outcome, id);
  context.authValues = undefined;
  if (connection !== undefined) {
    const isAccepted = verdict.outcome === 'accepted';
    connection.authenticationFailed = !isAccepted;
    if (isAccepted) {
      connection.authenticator = name;
      connection.authenticatorPublicName = common.public_name ?? name;
      connection.authenticatedId = id;
    } else connection.authenticatedFailId = id;
  }
  return { ...verdict, id };
}
