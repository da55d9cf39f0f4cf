/** The spa authenticator: NTLM, which Microsoft also calls Secure Password Authentication (Exim spec 40). */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { crypto } from '../lib/crypto.ts';
import { Text } from '../safe/taint.ts';
import {
  type ClientAnswer,
  type ClientVerdict,
  defineAuthenticator,
  type Examine,
  type LogIn,
  type ServerVerdict,
} from './authenticator.ts';
import { checkCondition, notBase64, setAuthValues, verdictOnFailure } from './expanding.ts';
import {
  authentication,
  challengeMessage,
  negotiation,
  newChallenge,
  ntAnswer,
  readAuthentication,
  readChallenge,
} from './ntlm.ts';
import { spaOptions } from './spa-options.ts';

/** A client that gives up is refused as one that does not know the password, as Exim's are. */
const given = (answer: ClientAnswer): ServerVerdict => ({ outcome: answer.outcome === 'lost' ? 'lost' : 'refused' });

function examine(password: Template, condition: Template | undefined): Examine {
  return async ({ initial, ask }, context) => {
    const first =
      initial === undefined ? await ask('NTLM supported', 'words') : ({ outcome: 'text', text: initial } as const);
    if (first.outcome !== 'text') return given(first);
    const challenge = newChallenge();
    const last = await ask(challengeMessage(challenge));
    if (last.outcome !== 'text') return given(last);
    const said = readAuthentication(last.text);
    if (said === undefined) return { outcome: 'refused' };
    setAuthValues([Text.tainted(said.user)], context);
    const secret = await password.expand(context);
    if (!secret.ok) return verdictOnFailure(secret);
    const expected = ntAnswer(secret.text.value, challenge);
    if (!crypto().timingSafeEqual(expected, said.answer)) return { outcome: 'refused' };
    return checkCondition(condition, context);
  };
}

interface Identity {
  readonly user: string;
  readonly password: string;
  readonly domain: string;
}

/** The domain may stand behind the name; the option counts for the first message only. */
async function identityOf(
  templates: Readonly<Record<keyof Identity, Template | undefined>>,
  context: Context,
): Promise<Identity | ClientVerdict> {
  const texts: Record<keyof Identity, string> = { user: '', password: '', domain: '' };
  for (const name of ['password', 'user', 'domain'] as const) {
    const expansion = await templates[name]?.expand(context);
    if (expansion?.ok === false) {
      return expansion.kind === 'forced'
        ? { outcome: 'skipped' }
        : { outcome: 'failed', message: `expansion of "${templates[name]?.source}" failed: ${expansion.message}` };
    }
    texts[name] = expansion?.text.value ?? '';
  }
  return texts;
}

function logIn(templates: Readonly<Record<keyof Identity, Template | undefined>>): LogIn {
  return async (server, context) => {
    const identity = await identityOf(templates, context);
    if ('outcome' in identity) return identity;
    const [, user = '', ownDomain] = /^([^@]*)(?:@(.*))?$/s.exec(identity.user) ?? [];
    const ready = await server.begin(undefined);
    if (ready.outcome !== 'challenge') return ready;
    const turn = await server.answer(negotiation(user, identity.domain || (ownDomain ?? '')));
    if (turn.outcome !== 'challenge') return turn;
    if (turn.text === undefined) return { outcome: 'failed', message: notBase64(turn.reply) };
    const challenge = readChallenge(turn.text);
    if (challenge === undefined) return { outcome: 'failed', message: 'the server sent no NTLM challenge' };
    const last = authentication(user, ownDomain ?? challenge.domain, identity.password, challenge);
    const end = await server.answer(last);
    return end.outcome === 'challenge' ? { outcome: 'refused' } : end;
  };
}

export const spa = defineAuthenticator({
  name: 'spa',
  summary: 'NTLM',
  options: spaOptions,
  make: ({ server_password, client_username, client_password, client_domain }, { server_condition }) => ({
    examine: server_password === undefined ? undefined : examine(server_password, server_condition),
    logIn:
      client_username === undefined || client_password === undefined
        ? undefined
        : logIn({ user: client_username, password: client_password, domain: client_domain }),
  }),
});
