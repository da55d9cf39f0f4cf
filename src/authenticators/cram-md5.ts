/** The cram_md5 authenticator: both sides know a password, and neither sends it (RFC 2195; Exim spec 35). */

import type { Template } from '../expand/expand.ts';
import { Text } from '../safe/taint.ts';
import { defineAuthenticator, type Examine, type LogIn } from './authenticator.ts';
import { cramDigest, isSame, newChallenge, splitCramAnswer } from './cram-digest.ts';
import { cramMd5Options } from './cram-md5-options.ts';
import { checkCondition, notBase64, setAuthValues, verdictOnFailure } from './expanding.ts';

function examine(secret: Template, condition: Template | undefined): Examine {
  return async ({ initial, ask }, context) => {
    if (initial !== undefined) return { outcome: 'unexpected data' };
    const challenge = newChallenge(context.settings.primaryHostname);
    const answer = await ask(challenge);
    if (answer.outcome !== 'text') return answer;
    const { user, digest } = splitCramAnswer(answer.text);
    setAuthValues([Text.tainted(user)], context);
    const expansion = await secret.expand(context);
    if (!expansion.ok) return verdictOnFailure(expansion);
    if (!isSame(digest, cramDigest(challenge, expansion.text.value))) return { outcome: 'refused' };
    return checkCondition(condition, context);
  };
}

function logIn(name: Template | undefined, secret: Template): LogIn {
  return async (server, context) => {
    const expandedName = await name?.expand(context);
    const expandedSecret = await secret.expand(context);
    for (const expansion of [expandedName, expandedSecret]) {
      if (expansion === undefined || expansion.ok) continue;
      if (expansion.kind === 'forced') return { outcome: 'skipped' };
      return { outcome: 'failed', message: expansion.message };
    }
    const turn = await server.begin(undefined);
    if (turn.outcome !== 'challenge') return turn;
    if (turn.text === undefined) return { outcome: 'failed', message: notBase64(turn.reply) };
    const user = expandedName?.ok ? expandedName.text.value : context.settings.primaryHostname;
    const password = expandedSecret.ok ? expandedSecret.text.value : '';
    const last = await server.answer(`${user} ${cramDigest(turn.text, password)}`);
    return last.outcome === 'challenge' ? { outcome: 'refused' } : last;
  };
}

export const cramMd5 = defineAuthenticator({
  name: 'cram_md5',
  summary: 'challenge and response (RFC 2195)',
  options: cramMd5Options,
  make: ({ server_secret, client_name, client_secret }, { server_condition }) => ({
    examine: server_secret === undefined ? undefined : examine(server_secret, server_condition),
    logIn: client_secret === undefined ? undefined : logIn(client_name, client_secret),
  }),
});
